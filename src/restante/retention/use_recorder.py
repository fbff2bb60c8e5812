"""Counts the mail of each account, by month. `held_recorder` counts what is stored."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from restante.background.loop_slices import in_slices
from restante.background.rounds import Rounds
from restante.queue.monthly_use import AccountUse
from restante.retention.use_ledger import UseLedger
from restante.store.live_directory import LiveDirectory
from restante.store.store_errors import StoreError
from restante.telemetry.use_counts import UseInbox

STORE_SECONDS: Final = 300.0  # a crash loses at most the counts of this time
AT_ONCE: Final = 200  # domains between two turns of the event loop


class UseRecorder:
    """Writes the counts every five minutes, and at the end."""

    def __init__(
        self, inbox: UseInbox, ledger: UseLedger, directory: LiveDirectory, rounds: Rounds
    ) -> None:
        self._inbox = inbox
        self._ledger = ledger
        self._directory = directory
        self._rounds = rounds

    async def run(self) -> None:
        """Write every five minutes until cancelled, and a last time then."""
        try:
            await self._rounds.run_rounds(self.record)
        finally:
            with suppress(StoreError):
                await self.record()

    async def record(self) -> float:
        """Write what happened since the last time; return the seconds to the next.

        Raises StoreError; then it is written the next time.
        """
        counts = self._inbox.take()
        async for received in in_slices(counts.received.items(), AT_ONCE):
            for domains, (messages, octets) in received:
                use = AccountUse(received=messages, received_octets=octets)
                self._ledger.add(self._accounts(domains), use)
        async for delivered in in_slices(counts.delivered.items(), AT_ONCE):
            for domain, messages in delivered:
                self._ledger.add(self._accounts([domain]), AccountUse(delivered=messages))
        await self._ledger.write()
        return STORE_SECONDS

    def _accounts(self, domains: Iterable[str]) -> set[str]:
        hosted = self._directory.now.domains
        return {hosted[name].account for name in domains if name in hosted}
