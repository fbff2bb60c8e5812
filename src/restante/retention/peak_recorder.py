"""Notes how much each domain holds over time, and ends what was noted too long ago."""

from collections.abc import Callable
from typing import Final

from restante.background.rounds import Rounds
from restante.background.turns import in_turns
from restante.background.waiting import Wait, wait_at_most
from restante.queue.held_peak import KEPT, HeldAmount, PeakTally
from restante.store.duty_store import DutyStore, keep_performing
from restante.store.live_directory import LiveDirectory
from restante.store.mail_figures import FigureStore
from restante.store.peak_store import PeakStore
from restante.telemetry.log import Log

LOOK_SECONDS: Final = 60.0
STORE_SECONDS: Final = 300.0  # a crash loses at most the peaks of this time
TRIM_SECONDS: Final = 3600.0
SLICE: Final = 1000  # peaks in one transaction
AT_ONCE: Final = 200  # domains between two turns of the event loop


class PeakRecorder:
    """Looks each minute, stores every five minutes, trims each hour."""

    def __init__(
        self,
        *,
        figures: FigureStore,
        peaks: PeakStore,
        duties: DutyStore,
        directory: LiveDirectory,
        log: Log,
        now: Callable[[], float],
        wait: Wait = wait_at_most,
    ) -> None:
        """`now` is Unix time."""
        self._figures = figures
        self._peaks = peaks
        self._duties = duties
        self._directory = directory
        self._now = now
        self._tally = PeakTally()
        self._rounds = Rounds(log, "held peaks", wait)
        self._looks = 0

    async def run(self) -> None:
        """Look each minute until cancelled."""
        await keep_performing(self._duties, "held-peaks", self._look_each_minute)

    async def _look_each_minute(self) -> None:
        await self._rounds.run_rounds(self.look)

    async def look(self) -> float:
        """Note what is held now; return the seconds to the next look. Raises StoreError."""
        directory, now = self._directory.now, self._now()
        async for turn in in_turns(list(self._figures.usages().items()), AT_ONCE):
            for domain_id, usage in turn:
                domain = directory.domain_by_id(domain_id)
                if domain is not None:
                    held = HeldAmount(usage.held, usage.octets)
                    self._tally.add(domain_id, domain.account, held, now)
        self._looks += 1
        if self._looks % int(STORE_SECONDS // LOOK_SECONDS) == 0:
            await self._store()
        if self._looks % int(TRIM_SECONDS // LOOK_SECONDS) == 1:
            await self._trim(now)
        return LOOK_SECONDS

    async def _store(self) -> None:
        peaks = self._tally.take()
        for first in range(0, len(peaks), SLICE):
            await self._peaks.record_peaks(peaks[first : first + SLICE])

    async def _trim(self, now: float) -> None:
        accounts = list(self._directory.now.accounts)
        while await self._peaks.forget_peaks(accounts, SLICE) == SLICE:
            pass
        for width, seconds in KEPT.items():
            while await self._peaks.trim_peaks(width, now - seconds, SLICE) == SLICE:
                pass
