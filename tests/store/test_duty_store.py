"""Work whose duty was lost begins again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from restante.store.duty_store import keep_performing
from restante.store.store_errors import DutyLost


class Losing:
    """Loses its first duties."""

    def __init__(self, losses: int) -> None:
        self.losses = losses

    @asynccontextmanager
    async def perform(self, _name: str) -> AsyncIterator[int]:
        """Let the work end, and lose the duty even so."""
        yield 1
        if self.losses:
            self.losses -= 1
            raise DutyLost("another process does the work")

    @asynccontextmanager
    async def perform_if_free(self, _name: str) -> AsyncIterator[bool]:
        """Let the work be done."""
        yield True


async def test_lost_work_begins_anew(runner: asyncio.Runner) -> None:
    begun = []

    async def work() -> str:
        begun.append(1)
        return "done"

    assert await keep_performing(Losing(2), "retention", work) == "done"
    assert len(begun) == 3
