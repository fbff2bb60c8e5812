"""The end of the changes of destinations that are too old, or of removed accounts."""

from collections.abc import Callable
from typing import Final

from restante.background.clocks import Wait, wait_at_most
from restante.background.rounds import Rounds
from restante.delivery.presence_settings import PresenceSettings
from restante.store.duty_store import DutyStore, keep_performing
from restante.store.live_directory import LiveDirectory
from restante.store.presence_store import PresenceStore
from restante.telemetry.event_bus import Log
from restante.telemetry.work_word import WorkWord
from restante.tenancy.policy import DAY

SWEEP_SECONDS: Final = 3600.0
SLICE: Final = 2000  # changes in one transaction


class PresenceSweep:
    """Keeps the changes within their days."""

    def __init__(
        self,
        *,
        presence: PresenceStore,
        duties: DutyStore,
        directory: LiveDirectory,
        settings: Callable[[], PresenceSettings],
        log: Log,
        ages: Callable[[], float],
        wait: Wait = wait_at_most,
    ) -> None:
        """`settings` returns the present ones; `ages` is Unix time (retention/age_clock.py)."""
        self._presence = presence
        self._duties = duties
        self._directory = directory
        self._settings = settings
        self._ages = ages
        self._rounds = Rounds(log, WorkWord.PRESENCE, wait)

    async def run(self) -> None:
        """Sweep now and every hour, until cancelled."""
        await keep_performing(self._duties, "presence", self._sweep_hourly)

    async def _sweep_hourly(self) -> None:
        await self._rounds.run_rounds(self.sweep)

    async def sweep(self) -> float:
        """Remove all that is over; return the seconds to the next sweep. Raises StoreError."""
        accounts = list(self._directory.now.accounts)
        while await self._presence.forget_presence(accounts, SLICE) == SLICE:
            pass
        before = self._ages() - self._settings().days * DAY
        while await self._presence.trim_presence(before, SLICE) == SLICE:
            pass
        return SWEEP_SECONDS
