"""The sessions port of the store on SQLite."""

from collections.abc import Mapping, Sequence
from functools import partial

import apsw

from restante.store.sqlite import portal_user_queries, session_queries
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.store_core import StoreCore
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.store_errors import Conflict
from restante.store.stored_form.session_rows import read_session, session_row
from restante.tenancy.session_record import SessionRecord


class SqliteSessions:
    """A `SessionStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def begin_session(
        self, session: SessionRecord, most: int, replaced: bytes | None = None
    ) -> None:
        """Add a session, in the place of another one if `replaced` is the hash of one."""
        await self._core.write(partial(_begin, session=session, most=most, replaced=replaced))

    async def session(self, id_hash: bytes) -> SessionRecord | None:
        """Return a session."""
        found = await self._core.read(partial(_all, query=session_queries.ONE, key=id_hash))
        return found[0] if found else None

    async def sessions_of(self, email: str) -> Sequence[SessionRecord]:
        """Return the sessions of a user, the last used first."""
        return await self._core.read(partial(_all, query=session_queries.OF_USER, key=email))

    async def record_session_uses(self, uses: Mapping[bytes, float]) -> None:
        """Keep the times of last uses."""
        await self._core.write(partial(_record_uses, uses=uses))

    async def end_sessions(self, id_hashes: Sequence[bytes]) -> None:
        """Remove sessions."""
        await self._core.write(partial(_end, id_hashes=id_hashes))

    async def end_sessions_of(self, email: str) -> None:
        """Remove all sessions of a user."""
        await self._core.write(partial(_end_of_user, email=email))

    async def trim_sessions(self, used_before: float, limit: int) -> int:
        """Remove sessions without a use since a time."""
        removed: int = await self._core.write(partial(_trim, bindings=(used_before, limit)))
        return removed


def _all(connection: apsw.Connection, query: str, key: bytes | str) -> list[SessionRecord]:
    return [read_session(row) for row in fetch(connection, query, (key,))]


def _begin(
    transaction: WriteTransaction, session: SessionRecord, most: int, replaced: bytes | None
) -> None:
    email = session.email
    if not transaction.execute(portal_user_queries.PRESENT, (email,)):
        raise Conflict(f"portal user {email} does not exist")
    if replaced is not None:
        if not transaction.execute(session_queries.IS_OF_USER, (replaced, email)):
            raise Conflict(f"the session of {email} has ended")
        transaction.execute(session_queries.END, (replaced,))
    transaction.execute(session_queries.ADD, session_row(session))
    transaction.execute(session_queries.TRIM_USER, (email, most))


def _record_uses(transaction: WriteTransaction, uses: Mapping[bytes, float]) -> None:
    for id_hash, at in uses.items():
        transaction.execute(session_queries.KEEP_USE, (at, id_hash))


def _end(transaction: WriteTransaction, id_hashes: Sequence[bytes]) -> None:
    for id_hash in id_hashes:
        transaction.execute(session_queries.END, (id_hash,))


def _end_of_user(transaction: WriteTransaction, email: str) -> None:
    transaction.execute(session_queries.END_OF_USER, (email,))


def _trim(transaction: WriteTransaction, bindings: tuple[float, int]) -> int:
    transaction.execute(session_queries.TRIM, bindings)
    return transaction.connection.changes()
