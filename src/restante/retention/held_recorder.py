"""Notes how much is stored over time: the peaks of each domain, and the use of each account."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from restante.background.clocks import Clocks
from restante.background.loop_slices import in_slices
from restante.background.rounds import Rounds
from restante.queue.held_peak import KEPT, HeldAmount, PeakTally
from restante.queue.monthly_use import KEPT_MONTHS, AccountUse, month_of, months_before
from restante.retention.use_ledger import UseLedger
from restante.store.duty_store import DutyStore, keep_performing
from restante.store.figure_store import FigureStore
from restante.store.live_directory import LiveDirectory
from restante.store.peak_store import PeakStore
from restante.store.store_errors import StoreError
from restante.store.use_store import UseStore

LOOK_SECONDS: Final = 60.0
STORE_LOOKS: Final = 5  # a crash loses at most so many looks
TRIM_LOOKS: Final = 60
SLICE: Final = 1000  # peaks in one transaction
AT_ONCE: Final = 200  # domains between two turns of the event loop


@dataclass(frozen=True, slots=True)
class HeldSources:
    """Where the recorder reads and writes."""

    figures: FigureStore
    peaks: PeakStore
    uses: UseStore
    duties: DutyStore
    directory: LiveDirectory


class HeldRecorder:
    """Looks each minute, stores every five minutes and at the end, trims each hour."""

    def __init__(
        self, sources: HeldSources, ledger: UseLedger, rounds: Rounds, clocks: Clocks
    ) -> None:
        self._sources = sources
        self._ledger = ledger
        self._rounds = rounds
        self._clocks = clocks
        self._tally = PeakTally()
        self._looked_at = clocks.monotonic()
        self._looks = 0

    async def run(self) -> None:
        """Look each minute until cancelled."""
        await keep_performing(self._sources.duties, "held-mail", self._look_each_minute)

    async def _look_each_minute(self) -> None:
        self._looked_at = self._clocks.monotonic()  # before, the duty was another's
        try:
            await self._rounds.run_rounds(self.look)
        finally:
            with suppress(StoreError):
                await self._store()

    async def look(self) -> float:
        """Note what is stored now; return the seconds to the next look. Raises StoreError."""
        octets = await self._note_peaks()
        now = self._clocks.monotonic()
        seconds, self._looked_at = now - self._looked_at, now
        for account, stored in octets.items():
            self._ledger.add([account], AccountUse(octet_seconds=stored * seconds))
        self._looks += 1
        if self._looks % STORE_LOOKS == 0:
            await self._store()
        if self._looks % TRIM_LOOKS == 1:
            await self._trim()
        return LOOK_SECONDS

    async def _note_peaks(self) -> dict[str, int]:
        """Return the stored octets by account, of those that have some."""
        directory, now = self._sources.directory.now, self._clocks.now()
        octets: dict[str, int] = defaultdict(int)
        async for piece in in_slices(list(self._sources.figures.usages().items()), AT_ONCE):
            for domain_id, usage in piece:
                domain = directory.domain_by_id(domain_id)
                if domain is not None:
                    held = HeldAmount(usage.held, usage.octets)
                    self._tally.add(domain_id, domain.account, held, now)
                    octets[domain.account] += usage.octets
        return octets

    async def _store(self) -> None:
        await self._ledger.write()
        peaks = self._tally.take()
        for first in range(0, len(peaks), SLICE):
            await self._sources.peaks.record_peaks(peaks[first : first + SLICE])

    async def _trim(self) -> None:
        accounts, now = list(self._sources.directory.now.accounts), self._clocks.age_now()
        while await self._sources.peaks.forget_peaks(accounts, SLICE) == SLICE:
            pass
        for width, seconds in KEPT.items():
            while await self._sources.peaks.trim_peaks(width, now - seconds, SLICE) == SLICE:
                pass
        first = months_before(month_of(now), KEPT_MONTHS)
        while await self._sources.uses.trim_uses(first, SLICE) == SLICE:
            pass
