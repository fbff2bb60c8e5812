"""Tells other servers of the store which logins have failed here, and counts theirs.

So a guesser gets no more tries from several servers than from one. All failures of half a second
are told at once, and others count them within about a second. The rate of attempts bounds the
guesses within that second, as it is divided by the number of servers.
"""

from collections.abc import Callable
from typing import Final

from restante.background.clocks import Wait, wait_at_most
from restante.background.rounds import Rounds
from restante.request_limits.failed_logins import FailureLedger
from restante.store.failure_store import FailureChange, FailureStore
from restante.telemetry.event_bus import Log
from restante.telemetry.work_word import WorkWord

ROUND_SECONDS: Final = 0.5
MOST_TOLD: Final = 5_000  # keys at once; those with the fewest failures are left out


class FailureExchange:
    """The one task that tells and asks. A store of one process needs none."""

    def __init__(
        self,
        store: FailureStore,
        monotonic: Callable[[], float],
        log: Log,
        wait: Wait = wait_at_most,
    ) -> None:
        """`monotonic` is in seconds."""
        self._store = store
        self._monotonic = monotonic
        self._ledgers: dict[str, FailureLedger] = {}
        self._untold: list[FailureChange] = []
        self._rounds = Rounds(log, WorkWord.SHARE_FAILURES, wait, after_failure=ROUND_SECONDS)

    def share(self, name: str, ledger: FailureLedger) -> FailureLedger:
        """Exchange the failures of a ledger from now on, and return it."""
        if self._store.is_shared:
            ledger.keep_changes()
            self._ledgers[name] = ledger
        return ledger

    async def run(self) -> None:
        """Exchange until cancelled."""
        if self._store.is_shared:
            await self._rounds.run_rounds(self.take_round)

    async def take_round(self) -> float:
        """Tell and ask once. Return the seconds until the next round."""
        self._untold += [
            FailureChange(name, digest, *told)
            for name, ledger in self._ledgers.items()
            for digest, told in ledger.take_changes().items()
        ]
        if len(self._untold) > MOST_TOLD:
            self._untold.sort(key=lambda one: one.failures, reverse=True)
            del self._untold[MOST_TOLD:]
        if self._untold:
            await self._store.tell(self._untold)  # after a failure they are told in the next round
            self._untold = []
        now = self._monotonic()
        for age, one in await self._store.recent():
            if (ledger := self._ledgers.get(one.ledger)) is not None:
                ledger.count_elsewhere(
                    one.digest, one.failures, now - age, was_forgotten=one.was_forgotten
                )
        return ROUND_SECONDS
