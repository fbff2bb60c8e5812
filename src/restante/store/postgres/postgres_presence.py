"""The presence of destinations in the store on PostgreSQL."""

from collections.abc import Sequence
from typing import Final

from restante.queue.presence import DestinationState, PresenceChange
from restante.store.postgres.database_session import PostgresRow
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.stored_form.rows import storable

_RECORD: Final = """
    INSERT INTO presence (at, account, destination, seen, reason)
    SELECT at, account, destination, seen, reason
    FROM unnest($1::float8[], $2::text[], $3::text[], $4::text[], $5::text[])
        WITH ORDINALITY AS new (at, account, destination, seen, reason, place)
    ORDER BY place
"""
_LATEST: Final = """
    SELECT id, at, account, destination, seen, reason FROM presence
    WHERE id IN (SELECT max(id) FROM presence GROUP BY account, destination)
"""
_CHANGES: Final = """
    SELECT id, at, account, destination, seen, reason FROM presence
    WHERE account = $1 AND destination = $2 AND ($3::bigint IS NULL OR id < $3)
    ORDER BY id DESC LIMIT $4
"""
_TRIM: Final = """
    DELETE FROM presence WHERE id IN (
        SELECT id FROM presence AS old
        WHERE at < $1 AND (seen = 'unknown' OR EXISTS (
            SELECT 1 FROM presence AS newer
            WHERE newer.account = old.account AND newer.destination = old.destination
                AND newer.id > old.id
        ))
        ORDER BY id LIMIT $2
    )
    RETURNING 1
"""
_FORGET: Final = """
    DELETE FROM presence WHERE id IN (
        SELECT id FROM presence WHERE account <> ALL($1::text[]) LIMIT $2
    )
    RETURNING 1
"""


class PostgresPresence:
    """A `PresenceStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def record_presence(self, changes: Sequence[PresenceChange]) -> None:
        """Append changes."""
        rows = [
            (one.at, one.account, one.destination, one.seen.value, storable(one.reason))
            for one in changes
        ]

        async def change(transaction: PostgresTransaction) -> None:
            if rows:
                await transaction.fetch(_RECORD, *map(list, zip(*rows, strict=True)))

        await self._core.write(change)

    async def latest_presence(self) -> list[PresenceChange]:
        """Return the newest change of each account's destinations."""
        return [_change(row)[1] for row in await self._core.fetch(_LATEST)]

    async def presence_changes(
        self, account: str, destination: str, *, before: int | None, limit: int
    ) -> list[tuple[int, PresenceChange]]:
        """Return the newest changes with their numbers, newest first."""
        rows = await self._core.fetch(_CHANGES, account, destination, before, limit)
        return [_change(row) for row in rows]

    async def trim_presence(self, before: float, limit: int) -> int:
        """Remove changes that are too old, except the newest known state of each."""
        return await self._remove(_TRIM, before, limit)

    async def forget_presence(self, accounts: Sequence[str], limit: int) -> int:
        """Remove the changes of other accounts."""
        return await self._remove(_FORGET, accounts, limit)

    async def _remove(self, statement: str, *values: object) -> int:
        async def change(transaction: PostgresTransaction) -> int:
            return await transaction.count(statement, *values)

        return await self._core.write(change)


def _change(row: PostgresRow) -> tuple[int, PresenceChange]:
    number, at, account, destination, seen, reason = row
    return number, PresenceChange(account, destination, at, DestinationState(seen), reason)
