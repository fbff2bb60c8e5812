"""The end of values that were good once: a used one is forgotten when its time is over."""

from collections.abc import Callable
from typing import Final

from restante.background.rounds import Rounds
from restante.store.duty_store import DutyStore, keep_performing
from restante.store.used_store import UsedStore

SWEEP_SECONDS: Final = 3600.0
SLICE: Final = 2000  # values in one transaction
SLACK: Final = 3600.0  # that the clock of another process may be behind


class UsedValueSweep:
    """Keeps the used values few."""

    def __init__(
        self, used: UsedStore, duties: DutyStore, rounds: Rounds, ages: Callable[[], float]
    ) -> None:
        """`ages` is Unix time (retention/age_clock.py)."""
        self._used = used
        self._duties = duties
        self._rounds = rounds
        self._ages = ages

    async def run(self) -> None:
        """Sweep now and every hour, until cancelled."""
        await keep_performing(self._duties, "used-values", self._sweep_hourly)

    async def _sweep_hourly(self) -> None:
        await self._rounds.run_rounds(self.sweep)

    async def sweep(self) -> float:
        """Forget all that are over; return the seconds to the next sweep. Raises StoreError."""
        before = self._ages() - SLACK
        while await self._used.trim_used(before, SLICE) == SLICE:
            pass
        return SWEEP_SECONDS
