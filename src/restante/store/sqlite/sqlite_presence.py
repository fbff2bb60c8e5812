"""The presence port of the store on SQLite."""

import json
from collections.abc import Sequence
from functools import partial

import apsw

from restante.queue.presence import DestinationState, PresenceChange
from restante.store.sqlite import presence_queries
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.store_core import StoreCore
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import storable


class SqlitePresence:
    """A `PresenceStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def record_presence(self, changes: Sequence[PresenceChange]) -> None:
        """Append changes."""
        await self._core.write(partial(_record, changes=changes))

    async def latest_presence(self) -> list[PresenceChange]:
        """Return the newest change of each account's destinations."""
        return [change for _, change in await self._core.read(_latest)]

    async def presence_changes(
        self, account: str, destination: str, *, before: int | None, limit: int
    ) -> list[tuple[int, PresenceChange]]:
        """Return the newest changes with their numbers, newest first."""
        return await self._core.read(
            partial(_changes, bindings=(account, destination, before, limit))
        )

    async def trim_presence(self, before: float, limit: int) -> int:
        """Remove changes that are too old, except the newest known state of each."""
        removed: int = await self._core.write(
            partial(_remove, query=presence_queries.TRIM, bindings=(before, limit))
        )
        return removed

    async def forget_presence(self, accounts: Sequence[str], limit: int) -> int:
        """Remove the changes of other accounts."""
        bindings = (json.dumps(accounts), limit)
        removed: int = await self._core.write(
            partial(_remove, query=presence_queries.FORGET, bindings=bindings)
        )
        return removed


def _record(transaction: WriteTransaction, changes: Sequence[PresenceChange]) -> None:
    for one in changes:
        row = (one.at, one.account, one.destination, one.seen.value, storable(one.reason))
        transaction.execute(presence_queries.RECORD, row)


def _remove(transaction: WriteTransaction, query: str, bindings: tuple[object, ...]) -> int:
    transaction.execute(query, bindings)
    return transaction.connection.changes()


def _latest(connection: apsw.Connection) -> list[tuple[int, PresenceChange]]:
    return [_change(row) for row in fetch(connection, presence_queries.LATEST)]


def _changes(
    connection: apsw.Connection, bindings: tuple[object, ...]
) -> list[tuple[int, PresenceChange]]:
    return [_change(row) for row in fetch(connection, presence_queries.CHANGES, bindings)]


def _change(row: Row) -> tuple[int, PresenceChange]:
    number, at, account, destination, seen, reason = row
    return number, PresenceChange(account, destination, at, DestinationState(seen), reason)
