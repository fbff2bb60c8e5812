"""Adds up what accounts use until it is written."""

from collections.abc import Callable, Iterable
from typing import Final

from restante.queue.monthly_use import MonthlyUse, Use, UseMonth, added_use, month_of
from restante.store.live_directory import LiveDirectory
from restante.store.use_store import UseStore

SLICE: Final = 1000  # accounts in one transaction


class UseLedger:
    """Uses that are not written yet. Belongs to the event loop."""

    def __init__(self, uses: UseStore, directory: LiveDirectory, now: Callable[[], float]) -> None:
        """`now` is Unix time."""
        self._uses = uses
        self._directory = directory
        self._now = now
        self._unwritten: dict[UseMonth, Use] = {}

    def add(self, accounts: Iterable[str], use: Use) -> None:
        """Add a use to the present month of each of these accounts, if it exists."""
        month = month_of(self._now())
        for name in accounts:
            account = self._directory.now.accounts.get(name)
            if account is not None:
                of = UseMonth(name, int(account.created_at), month)
                self._unwritten[of] = added_use(self._unwritten.get(of, Use()), use)

    async def write(self) -> None:
        """Write what was added. Raises StoreError; then the rest is kept."""
        while self._unwritten:
            some = list(self._unwritten.items())[:SLICE]
            for of, _ in some:
                del self._unwritten[of]
            try:
                await self._uses.add_uses([MonthlyUse(*one) for one in some])
            except BaseException:
                for of, use in some:
                    self._unwritten[of] = added_use(self._unwritten.get(of, Use()), use)
                raise
