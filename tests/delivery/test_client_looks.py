"""The pace while many clients are refused. The looks are in test_drains_by_client.py."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from restante.delivery.client_looks import ClientPace
from restante.delivery.refused_clients import CLIENTS_PER_SECOND

PLAN = cast(
    Any, SimpleNamespace(destination=SimpleNamespace(text="p:25"), domain=SimpleNamespace(id=7))
)


@dataclass
class FakeRates:
    """Answers in turn."""

    waits: list[float]
    asked: list[tuple[str, int, int]] = field(default_factory=list)

    def take(self, destination: str, domain_id: int, most: int) -> float:
        self.asked.append((destination, domain_id, most))
        return self.waits.pop(0)


def test_one_that_comes_too_soon_is_woken_once() -> None:
    async def story() -> None:
        woken = asyncio.Event()
        calls: list[int] = []

        def go_on() -> None:
            calls.append(1)
            woken.set()

        rates = FakeRates([0.0, 0.001, 0.001, 0.0, 3600.0])
        pace = ClientPace(PLAN, cast(Any, rates), go_on)
        assert pace.take()
        assert not pace.take()
        assert not pace.take()  # the timer runs already
        await woken.wait()
        assert pace.take()
        assert not pace.take()
        pace.close()
        assert len(calls) == 1
        assert rates.asked[0] == ("p:25", 7, CLIENTS_PER_SECOND)

    asyncio.run(story())
