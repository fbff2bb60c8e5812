"""The picture of accounts, logins and domains that commands are answered from: in memory, replaced when it changes."""

from restante.store.interface import TenancyStore
from restante.tenancy.model import Directory


class LiveDirectory:
    """Holds the present `Directory`. Readers take `.now` once per decision and so see one moment."""

    def __init__(self, store: TenancyStore) -> None:
        self._store = store
        self.now = Directory()

    async def refresh(self) -> None:
        """Read it again. Whoever changes a record calls this before telling anybody that it is done."""
        self.now = await self._store.directory()
