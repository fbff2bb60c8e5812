"""The end of history: entries that are too old, or too many, or of a domain that was removed.

Requests to release mail end here too, by their age.

Once an hour they are removed in slices, so that no other user of the store waits long.
"""

from collections.abc import Callable
from typing import Final

from restante.background.clocks import Wait, wait_at_most
from restante.background.rounds import Rounds
from restante.retention.history_settings import HistorySettings
from restante.store.duty_store import DutyStore, keep_performing
from restante.store.history_store import HistoryStore
from restante.store.live_directory import LiveDirectory
from restante.store.release_store import ReleaseStore
from restante.telemetry.event_bus import Log
from restante.telemetry.events import HistoryTrimmed
from restante.telemetry.work_word import WorkWord
from restante.tenancy.policy import DAY

SWEEP_SECONDS: Final = 3600.0
SLICE: Final = 2000  # entries in one transaction: about 5 ms of the writer


class HistorySweep:
    """Keeps the history within its bounds."""

    def __init__(
        self,
        *,
        history: HistoryStore,
        releases: ReleaseStore,
        duties: DutyStore,
        directory: LiveDirectory,
        settings: Callable[[], HistorySettings],
        log: Log,
        ages: Callable[[], float],
        wait: Wait = wait_at_most,
    ) -> None:
        """`settings` returns the present ones; `ages` is Unix time (retention/age_clock.py)."""
        self._history = history
        self._releases = releases
        self._duties = duties
        self._directory = directory
        self._settings = settings
        self._log = log
        self._ages = ages
        self._rounds = Rounds(log, WorkWord.HISTORY, wait)

    async def run(self) -> None:
        """Sweep now and every hour, until cancelled."""
        await keep_performing(self._duties, "history", self._sweep_hourly)

    async def _sweep_hourly(self) -> None:
        await self._rounds.run_rounds(self.sweep)

    async def sweep(self) -> float:
        """Remove all that is over; return the seconds to the next sweep. Raises StoreError."""
        await self._forget_removed_domains()
        await self._trim(self._settings())
        await self._trim_releases(self._settings())
        return SWEEP_SECONDS

    async def _forget_removed_domains(self) -> None:
        hosted = {domain.id for domain in self._directory.now.domains.values()}
        removed = [one for one in await self._history.history_domains() if one not in hosted]
        while removed and await self._history.forget_history(removed, SLICE) == SLICE:
            pass

    async def _trim_releases(self, settings: HistorySettings) -> None:
        before = self._ages() - settings.release_days * DAY
        while await self._releases.trim_releases(before, SLICE) == SLICE:
            pass

    async def _trim(self, settings: HistorySettings) -> None:
        before = self._ages() - settings.days * DAY
        while await self._history.trim_history(before, None, SLICE) == SLICE:
            pass
        early = 0
        while (count := await self._history.trim_history(before, settings.octets, SLICE)) > 0:
            early += count
        if early:
            figures = await self._history.history_figures()
            self._log.publish(
                HistoryTrimmed(
                    entries=early, octets=settings.octets, oldest_at=figures.oldest_at or 0.0
                )
            )
