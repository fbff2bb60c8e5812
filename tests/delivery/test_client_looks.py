"""Looks in our own name, and the pace, while clients are silent or refused in a row."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from restante.delivery.client_looks import ClientPace
from restante.delivery.refused_clients import CLIENTS_PER_SECOND
from restante.mail.message_origin import MessageOrigin
from restante.smtp.proxy_header import LOCAL_HEADER
from restante.telemetry.events import DrainFinished
from restante.tenancy.model import ClientPassing
from tests.delivery.by_client import (
    BLOCKED,
    LISTED,
    STRANGERS,
    counted_drains,
    header_of,
    listing,
    origin,
    primary_for,
    stranger,
    watched,
)
from tests.delivery.drained import numbers, still_held
from tests.delivery.scripted_primary import CLOSE, SILENCE

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


def test_refused_clients_in_a_row_are_tried_five_a_second() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"GREETING 192.0.2.": LISTED})
    watched(primary, passing, STRANGERS[:60], seconds=300.0)
    assert primary.connections == 61  # with the look in our own name, after ten
    assert primary.made_at[-1] - primary.made_at[0] > 8.0  # fifty take ten seconds
    assert primary.headers.count(LOCAL_HEADER) == 1


@pytest.mark.parametrize(
    ("passing", "moment", "refusal"),
    [
        (ClientPassing.PROXY, "GREETING", LISTED),
        (ClientPassing.PROXY, "GREETING", CLOSE),
        (ClientPassing.PROXY, "EHLO", LISTED),
    ],
)
def test_a_destination_that_refuses_us_like_every_client_is_left_alone_after_ten(
    passing: ClientPassing, moment: str, refusal: str
) -> None:
    primary = primary_for(passing, {moment: refusal})
    found = watched(primary, passing, STRANGERS[:40], connections=1)
    assert primary.headers.count(LOCAL_HEADER) == primary.connections - 10 <= 3
    assert len(still_held(found.world)) == 40
    assert counted_drains(found.world) == [0] * 40
    assert "were refused, and so are we" in found.world.log.of(DrainFinished)[-1]["reason"]


def test_a_destination_that_is_silent_to_us_too_is_left_alone() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"GREETING": SILENCE})
    found = watched(primary, passing, [stranger(n) for n in range(1, 201)])
    assert (
        "nor do we: timed out waiting for the greeting"
        in found.world.log.of(DrainFinished)[-1]["reason"]
    )
    assert primary.connections <= 40


def test_the_look_with_mail_is_in_our_own_name_and_sends_no_content() -> None:
    passing = ClientPassing.PROXY
    primary = listing(passing, "RCPT", BLOCKED)
    watched(primary, passing, STRANGERS[:40])
    assert primary.headers.count(LOCAL_HEADER) == 1
    assert primary.commands.count("MAIL FROM:<>") == 1
    at = primary.commands.index("MAIL FROM:<>")
    assert primary.commands[at + 1 : at + 3] == ["RCPT TO:<b@b.example>", "QUIT"]


@pytest.mark.parametrize("reply", ["421 4.3.2 going down", "451 4.3.0 disk"])
def test_a_destination_that_puts_our_mail_off_too_is_left_alone_after_ten(reply: str) -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"RCPT": reply, "DATA": "554 5.5.1 no valid recipients"})
    found = watched(primary, passing, STRANGERS[:60], connections=1)
    assert primary.headers.count(LOCAL_HEADER) == 1
    assert primary.connections <= 15
    assert "not taken, nor is ours" in found.world.log.of(DrainFinished)[-1]["reason"]
    assert len(still_held(found.world)) == 60


def test_a_destination_that_refuses_every_client_and_not_us_has_a_pause_after_500() -> None:
    passing = ClientPassing.PROXY
    primary = primary_for(passing, {"GREETING 203.0.": LISTED})
    mail = [
        MessageOrigin(f"203.0.{n // 250}.{n % 250 + 1}", 1, f"n{n}.example") for n in range(600)
    ]
    found = watched(primary, passing, [*mail, origin(1)], wanted=1, seconds=900.0, patience=900.0)
    assert numbers(primary) == [601]
    assert found.world.pauses[0] == 60.0
    tried = primary.headers[: header_of(primary, "198.51.100.1")]
    assert tried.count(LOCAL_HEADER) == 6  # after ten in an attempt, and after each hundred more
    assert len(set(tried)) == 601
    assert len(tried) == 606
    assert len(still_held(found.world)) == 600
