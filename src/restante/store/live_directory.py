"""The picture of accounts, logins and domains in memory; commands are answered from it."""

from collections.abc import Callable

from restante.store.record_store import TenancyStore
from restante.tenancy.model import Directory


class LiveDirectory:
    """Holds the present `Directory`.

    Readers take `.now` once per decision and so see one moment.
    """

    def __init__(self, store: TenancyStore) -> None:
        self._store = store
        self.now = Directory()
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have this called after each refresh."""
        self._listeners.append(listener)

    async def refresh(self) -> None:
        """Read it again.

        Call this after a change of a record, before anybody is told that it is done.
        """
        self.now = await self._store.directory()
        for listener in self._listeners:
            listener()
