"""The picture of accounts, logins and domains in memory; commands are answered from it."""

import asyncio
from collections.abc import Callable, Sequence

from restante.store.record_store import RecordStore
from restante.tenancy.model import Directory, HostedDomain
from restante.tenancy.numbered_change import NumberedChange, after_changes


class LiveDirectory:
    """Holds the present `Directory`.

    Readers take `.now` once per decision and so see one moment.
    """

    def __init__(self, store: RecordStore) -> None:
        self._store = store
        self.now = Directory()
        self._is_read = False
        self._refreshing = asyncio.Lock()
        self._begun = 0  # refreshes
        self._last_done = 0  # the number of the last one that succeeded
        self._listeners: list[Callable[[], None]] = []
        self._change_listeners: list[Callable[[Sequence[NumberedChange] | None], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have this called after each refresh that found something."""
        self._listeners.append(listener)

    def on_numbered(self, listener: Callable[[Sequence[NumberedChange] | None], None]) -> None:
        """Have this called with the changes, after they are in `.now`; None: all was read again."""
        self._change_listeners.append(listener)

    def has_report_details(self, domain: HostedDomain) -> bool:
        """Return whether reports that strangers ask for may quote the domain's primary."""
        account = self.now.accounts.get(domain.account)
        return account is not None and account.report_details

    async def refresh(self) -> None:
        """Apply the changes since the last time, those of other processes too. Raises StoreError.

        Call this after a change of a record, before anybody is told that it is done. Callers that
        wait meanwhile share the next refresh: it begins after all of them have called.
        """
        begun_before = self._begun
        async with self._refreshing:
            if self._last_done > begun_before:
                return
            self._begun += 1
            await self._read()
            self._last_done = self._begun

    async def _read(self) -> None:
        changes = await self._changes()
        if changes is None:
            self.now = await self._store.directory()
        elif changes:
            self.now = after_changes(self.now, changes)
        else:
            return
        self._is_read = True
        self._tell(changes)

    async def _changes(self) -> Sequence[NumberedChange] | None:
        if not self._is_read:
            return None
        return await self._store.changes_since(self.now.change_number)

    def _tell(self, changes: Sequence[NumberedChange] | None) -> None:
        for listen in self._change_listeners:
            listen(changes)
        for listener in self._listeners:
            listener()
