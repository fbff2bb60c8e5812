"""The sessions of portal users in the store on PostgreSQL."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from restante.store.postgres import record_statements
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import Conflict
from restante.store.stored_form.session_rows import read_session, session_row
from restante.tenancy.session_record import SessionRecord

_COLUMNS: Final = "id_hash, email, stamp, factors, address, agent, signed_in_at, proved_at, used_at"
_ONE: Final = f"SELECT {_COLUMNS} FROM portal_session WHERE id_hash = $1"
_OF_USER: Final = f"""
    SELECT {_COLUMNS} FROM portal_session WHERE email = $1
    ORDER BY used_at DESC, signed_in_at DESC, id_hash
"""
_ADD: Final = f"""
    INSERT INTO portal_session ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_TRIM_USER: Final = """
    DELETE FROM portal_session WHERE id_hash IN (
        SELECT id_hash FROM portal_session WHERE email = $1
        ORDER BY used_at DESC, signed_in_at DESC, id_hash OFFSET $2
    )
"""
_END_OF_USER: Final = "DELETE FROM portal_session WHERE id_hash = $1 AND email = $2 RETURNING 1"
_KEEP_USE: Final = """
    UPDATE portal_session SET used_at = greatest(used_at, $1) WHERE id_hash = $2
"""
_END: Final = "DELETE FROM portal_session WHERE id_hash = ANY($1::bytea[])"
_TRIM: Final = """
    DELETE FROM portal_session WHERE id_hash IN (
        SELECT id_hash FROM portal_session WHERE used_at < $1 LIMIT $2
    )
    RETURNING 1
"""


class PostgresSessions:
    """A `SessionStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def begin_session(
        self, session: SessionRecord, most: int, replaced: bytes | None = None
    ) -> None:
        """Add a session, in the place of another one if `replaced` is the hash of one."""
        await self._core.write(partial(_begin, record=session, most=most, replaced=replaced))

    async def session(self, id_hash: bytes) -> SessionRecord | None:
        """Return a session."""
        rows = await self._core.fetch(_ONE, id_hash)
        return read_session(tuple(rows[0])) if rows else None

    async def sessions_of(self, email: str) -> Sequence[SessionRecord]:
        """Return the sessions of a user, the last used first."""
        return [read_session(tuple(row)) for row in await self._core.fetch(_OF_USER, email)]

    async def record_session_uses(self, uses: Mapping[bytes, float]) -> None:
        """Keep the times of last uses."""

        async def change(transaction: PostgresTransaction) -> None:
            for id_hash, at in sorted(uses.items()):
                await transaction.fetch(_KEEP_USE, at, id_hash)

        await self._core.write(change)

    async def end_sessions(self, id_hashes: Sequence[bytes]) -> None:
        """Remove sessions."""
        await self._remove(_END, id_hashes)

    async def end_sessions_of(self, email: str) -> None:
        """Remove all sessions of a user."""
        await self._remove(record_statements.END_SESSIONS_OF_USER, email)

    async def trim_sessions(self, used_before: float, limit: int) -> int:
        """Remove sessions without a use since a time."""
        return await self._remove(_TRIM, used_before, limit)

    async def _remove(self, statement: str, *values: object) -> int:
        async def change(transaction: PostgresTransaction) -> int:
            return await transaction.count(statement, *values)

        return await self._core.write(change)


async def _begin(
    transaction: PostgresTransaction, record: SessionRecord, most: int, replaced: bytes | None
) -> None:
    email = record.email
    if not await transaction.has(record_statements.USER_PRESENT, email):
        raise Conflict(f"portal user {email} does not exist")
    if replaced is not None and not await transaction.has(_END_OF_USER, replaced, email):
        raise Conflict(f"the session of {email} has ended")
    await transaction.fetch(_ADD, *session_row(record))
    await transaction.fetch(_TRIM_USER, email, most)
