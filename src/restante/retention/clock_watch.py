"""Keeps the newest trusted time in the store, and reports leaps of the wall clock.

The time is a mark of one hosted domain, the one with the lowest number. Without domains there is no
mail that could end.
"""

from contextlib import suppress
from datetime import UTC, datetime
from math import inf
from typing import Final

from restante.background.clocks import Clocks
from restante.background.rounds import Rounds
from restante.retention.age_clock import AgeClock, ClockDoubt
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.retention_store import RetentionStore
from restante.store.store_errors import Conflict
from restante.telemetry.event_bus import Log
from restante.telemetry.events import ClockDoubted, ClockTrusted
from restante.telemetry.work_word import WorkWord

LOOK_SECONDS: Final = 60.0
KEEP_SECONDS: Final = 3600.0
MARK: Final = "trusted-time"


async def newest_time(store: Store) -> float | None:
    """Return the newest trusted time; without one, the newest that an operation has left.

    Raises StoreError.
    """
    if marks := await store.retention.marks(MARK):
        return max(marks.values())
    past = await store.handover.past_drains()
    times = [drain.ended_at for drain in past.values()]
    times += [entry.at for entry in await store.audit.audit(limit=1)]
    return max(times, default=None)


class ClockWatch:
    """Looks each minute."""

    def __init__(
        self,
        ages: AgeClock,
        retention: RetentionStore,
        directory: LiveDirectory,
        log: Log,
        clocks: Clocks,
    ) -> None:
        self._ages = ages
        self._retention = retention
        self._directory = directory
        self._log = log
        self._monotonic = clocks.monotonic
        self._rounds = Rounds(log, WorkWord.CLOCK, clocks.wait)
        self._told: ClockDoubt | None = None
        self._kept_at = -inf  # monotonic

    async def run(self) -> None:
        """Look until cancelled."""
        await self._rounds.run_rounds(self.look)

    async def look(self) -> float:
        """Look once; return the seconds to the next look. Raises StoreError."""
        doubt = self._ages.doubt()
        if doubt is not None and self._must_tell(doubt):
            ends = datetime.fromtimestamp(doubt.trusted_from, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            self._log.publish(ClockDoubted(seconds=round(doubt.leap), ends=ends))
        elif doubt is None and self._told is not None:
            self._log.publish(ClockTrusted())
            self._kept_at = -inf
        self._told = doubt
        await self._keep()  # in doubt the earlier time: entries of the audit trail have wrong ones
        return LOOK_SECONDS

    def _must_tell(self, doubt: ClockDoubt) -> bool:
        return self._told is None or doubt.trusted_from > self._told.trusted_from + LOOK_SECONDS

    async def _keep(self) -> None:
        moment, domains = self._monotonic(), self._directory.now.domains.values()
        if moment < self._kept_at + KEEP_SECONDS or not domains:
            return
        first = min(domain.id for domain in domains)
        with suppress(Conflict):  # removed meanwhile: the next look finds another
            await self._retention.keep_mark(first, MARK, self._ages.newest_trusted())
            self._kept_at = moment
