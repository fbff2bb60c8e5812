"""Runs the scrub: once a day, at a small share of one core, and says what it has found.

The first walk begins some minutes after the start; at once where the start's own proof had no time
for all of the database.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from restante.store.store_care import ScrubSlice
from restante.store.store_errors import StoreError
from restante.store.upkeep_store import UpkeepStore
from restante.telemetry.event_bus import Log
from restante.telemetry.events import StoreFailed, StoreScrubbed
from restante.telemetry.work_word import WorkWord

SHARE: Final = 0.035  # of one core, for the slices themselves: waking for each takes some more
DAY: Final = 24 * 3600.0
FIRST_AFTER: Final = 600.0  # seconds
_LONGEST_REST: Final = 60.0


@dataclass(slots=True)
class ScrubWalk:
    """One walk, as far as it has come. Times are Unix time."""

    ended_at: float | None = None  # None: under way, or interrupted
    messages: int = 0
    octets: int = 0
    files: int = 0
    damaged: int = 0

    def take(self, part: ScrubSlice) -> None:
        """Work a slice in."""
        self.messages += part.messages
        self.octets += part.octets
        self.files += part.files
        self.damaged += part.damaged


@dataclass(slots=True)
class Scrubber:
    """The walks of one server.

    `rest` waits so many seconds; `now` gives Unix time, `clock` seconds that only grow.
    """

    store: UpkeepStore
    log: Log
    now: Callable[[], float]
    clock: Callable[[], float]
    rest: Callable[[float], Awaitable[None]] = asyncio.sleep
    walk: ScrubWalk | None = field(default=None, init=False)  # the last one that was begun
    last_ended_at: float | None = field(default=None, init=False)
    _has_begun: bool = field(default=False, init=False)

    async def take_round(self) -> float:
        """Walk; return the seconds until the next walk is due. The first may be due only later."""
        is_first, self._has_begun = not self._has_begun, True
        if is_first and self.store.is_proven:
            return FIRST_AFTER
        began = self.clock()
        await self.scrub()
        return max(0.0, began + DAY - self.clock())

    async def scrub(self) -> None:
        """Walk once. A store that fails ends the walk, which is not begun again before its time."""
        walk = self.walk = ScrubWalk()
        began = self.clock()
        try:
            async for part in self.store.scrub():
                walk.take(part)
                await self.rest(min(part.seconds * (1 / SHARE - 1), _LONGEST_REST))
        except StoreError as error:
            self.log.publish(StoreFailed(error=error, doing=WorkWord.SCRUB))
            return
        walk.ended_at = self.last_ended_at = self.now()
        self.log.publish(
            StoreScrubbed(
                messages=walk.messages,
                octets=walk.octets,
                files=walk.files,
                damaged=walk.damaged,
                seconds=round(self.clock() - began, 3),
            )
        )
