"""Adds up the uses of accounts until they are written.

A database that was lost in a commit may have made it. So a batch that failed is given to the store
again as it was: the store knows by its key whether it has it.
"""

from collections.abc import Callable, Iterable
from secrets import token_bytes
from typing import Final

from restante.queue.monthly_use import AccountUse, MonthlyUse, UseMonth, added_use, month_of
from restante.store.live_directory import LiveDirectory
from restante.store.use_store import UseBatch, UseStore
from restante.tenancy.policy import DAY

SLICE: Final = 1000  # accounts in one transaction
KEY_KEPT: Final = 7 * DAY  # seconds; a store that is away for longer can count a batch twice


class UseLedger:
    """Uses that are not written yet. Belongs to the event loop."""

    def __init__(self, uses: UseStore, directory: LiveDirectory, now: Callable[[], float]) -> None:
        """`now` is Unix time."""
        self._uses = uses
        self._directory = directory
        self._now = now
        self._unwritten: dict[UseMonth, AccountUse] = {}
        self._batch: tuple[list[MonthlyUse], UseBatch] | None = None  # tried, perhaps written

    def add(self, accounts: Iterable[str], use: AccountUse) -> None:
        """Add a use to the present month of each of these accounts, if it exists."""
        month = month_of(self._now())
        for name in accounts:
            account = self._directory.now.accounts.get(name)
            if account is not None:
                of = UseMonth(name, int(account.created_at), month)
                self._unwritten[of] = added_use(self._unwritten.get(of, AccountUse()), use)

    async def write(self) -> None:
        """Write what was added. Raises StoreError; then the rest is kept."""
        while self._batch or self._unwritten:
            self._batch = self._batch or self._next_batch()
            await self._uses.add_uses(*self._batch)
            self._batch = None

    def _next_batch(self) -> tuple[list[MonthlyUse], UseBatch]:
        some = [MonthlyUse(*one) for one in list(self._unwritten.items())[:SLICE]]
        for of, _ in some:
            del self._unwritten[of]
        return some, UseBatch(token_bytes(16), self._now() + KEY_KEPT)
