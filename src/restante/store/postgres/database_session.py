"""One session with the database: statements, transactions, and the care that a COMMIT needs.

With a synchronous standby away, a COMMIT waits. To cancel it then would make the change visible
here, while no standby has it, and the server answers with success and a warning. So nothing here
cancels a statement: when patience ends, the socket is aborted, and the outcome is unknown. A
transaction that ended with a warning counts as failed.

A statement outside of a transaction is one of its own, with the same rules.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from restante.phrases import cause_of
from restante.store.store_errors import StoreError

PostgresRow = Sequence[Any]

PATIENCE: Final = 10.0  # seconds for one statement, a COMMIT included
_CONNECT_PATIENCE: Final = 5.0
_STATEMENTS: Final = 300  # kept prepared, in each session
_SETTINGS: Final = {
    "application_name": "restante",
    "jit": "off",  # all statements are short
    "timezone": "UTC",
    "client_min_messages": "warning",
}


class OutcomeUnknown(StoreError):  # noqa: N818  it is a state of knowledge
    """The session ended in a COMMIT: the change may be there or not."""


class DatabaseSession:
    """A connection, used by one task at a time. Raises the driver's errors."""

    def __init__(self, connection: Any, patience: float = PATIENCE) -> None:
        self._connection = connection
        self._patience = patience
        self._warning = ""
        connection.add_log_listener(self._note)

    async def fetch(self, statement: str, *values: Any) -> list[PostgresRow]:
        """Run one statement and return its rows. Its own transaction, if none is open."""
        self._warning = ""
        with self._bounded():
            rows: list[PostgresRow] = await self._connection.fetch(statement, *values)
        if not self._connection.is_in_transaction():
            self._check_warning()
        return rows

    async def script(self, statements: str) -> None:
        """Run several statements, all or none."""
        async with self.transaction():
            await self._command(statements)

    @asynccontextmanager
    async def transaction(self, mode: str = "") -> AsyncIterator[None]:
        """Commit at the end of the block, or roll back if it raises."""
        await self._command(f"BEGIN {mode}")
        try:
            yield
        except BaseException:
            if not self.is_lost:
                await self._command("ROLLBACK")
            raise
        self._warning = ""
        try:
            answer = await self._command("COMMIT")
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
            raise OutcomeUnknown(f"the database was lost in a commit: {cause_of(error)}") from error
        self._check_warning()
        if answer != "COMMIT":
            raise StoreError("the transaction was rolled back, because a statement had failed")

    @property
    def is_lost(self) -> bool:
        """Whether nothing more can be done with it."""
        return bool(self._connection.is_closed())

    @property
    def is_idle(self) -> bool:
        """Whether the next one may have it: it is open, and in no transaction."""
        return not (self.is_lost or self._connection.is_in_transaction())

    def abort(self) -> None:
        """Break the connection off at once."""
        self._connection.terminate()

    async def close(self) -> None:
        """End the session."""
        with self._bounded():
            await self._connection.close()

    async def _command(self, text: str) -> str:
        with self._bounded():
            return str(await self._connection.execute(text))

    def _bounded(self) -> "_Bound":
        return _Bound(self._patience, self.abort)

    def _note(self, _connection: Any, message: Any) -> None:
        self._warning = str(message.message)

    def _check_warning(self) -> None:
        if self._warning:
            raise StoreError(f"the database warned at a commit: {self._warning}")


class _Bound:
    """Abort if the block takes too long. No task of its own: that would cost as much as a look."""

    def __init__(self, seconds: float, abort: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, abort)

    def __enter__(self) -> None:
        """Nothing: the time runs."""

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


async def open_session(url: str, patience: float = PATIENCE) -> DatabaseSession:
    """Connect. Raises the driver's errors."""
    connection = await asyncpg.connect(
        url,
        timeout=_CONNECT_PATIENCE,
        statement_cache_size=_STATEMENTS,
        max_cached_statement_lifetime=0,
        server_settings=_SETTINGS,
    )
    return DatabaseSession(connection, patience)
