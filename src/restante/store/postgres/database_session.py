"""One session with the database: statements, transactions, and the care that a COMMIT needs.

With a synchronous standby away, a COMMIT waits. To cancel it then would make the change visible
here, while no standby has it, and the server answers with success and a warning. So nothing here
cancels a statement: when patience ends, the socket is aborted, and the outcome is unknown. A
transaction that ended with a warning counts as failed.

A statement outside of a transaction is one of its own, with the same rules.

Settings of the role or of the database could break these rules, so each session has its own. A
`statement_timeout` cancels the wait of a COMMIT, for example.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import asyncpg

from restante.phrases import cause_of
from restante.store.database_access import DatabaseAccess, RecoveryPoint
from restante.store.postgres import sqlstate
from restante.store.postgres.host_choice import HostOrder, connect_to_first
from restante.store.store_errors import StoreError, StoreUnusable

PostgresRow = Sequence[Any]

PATIENCE: Final = 10.0  # seconds for one statement, a COMMIT included
WHOLE_PATIENCE: Final = 60.0  # for one that reads the records or the figures of all domains
_CONNECT_PATIENCE: Final = 5.0  # for one host
_STATEMENTS: Final = 300  # kept prepared, in each session
_SETTINGS: Final = {
    "application_name": "restante",
    "jit": "off",  # all statements are short
    "timezone": "UTC",
    "client_min_messages": "warning",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "off",
    "default_transaction_deferrable": "off",
    "statement_timeout": "0",
    "lock_timeout": "8s",  # before patience ends: the statement fails, and the session stays
    # The locks of a machine that has vanished go with its session.
    "idle_in_transaction_session_timeout": "10s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "10s",
}
_WAITING: Final = {"synchronous_commit": "on"}
_NAME: Final = "application_name"
_NEEDED: Final = (
    *("statement_timeout", "default_transaction_isolation", "default_transaction_read_only"),
)
_SKIPPING: Final = " SKIP LOCKED"  # without it, a statement waits for a lock
_ATTRIBUTES: Final = "target_session_attrs"


class OutcomeUnknown(StoreError):  # noqa: N818  it is a state of knowledge
    """A COMMIT had no answer, or one with a warning: the change may be there or not."""


class SessionLost(ConnectionError):  # noqa: N818  an event of the network
    """The driver knows that the connection is closed."""


class DatabaseSession:
    """A connection, used by one task at a time. Raises the driver's errors."""

    def __init__(
        self,
        connection: Any,
        patience: float = PATIENCE,
        *,
        is_plain: bool = False,
        host_url: str = "",
    ) -> None:
        """`host_url` is that of the one host that it is with."""
        self.is_plain = is_plain
        self.host_url = host_url
        self._connection = connection
        self._patience = patience
        self._warning = ""
        connection.add_log_listener(self._note)

    async def fetch(self, statement: str, *values: Any) -> list[PostgresRow]:
        """Run one statement and return its rows. Its own transaction, if none is open."""
        if self.is_plain:
            statement = statement.replace(_SKIPPING, "")
        self._warning = ""
        with self._bounded(), self._watched():
            rows: list[PostgresRow] = await self._connection.fetch(statement, *values)
        if not self._connection.is_in_transaction():
            self._check_warning()
        return rows

    async def copy(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Add rows to a table, in the transaction that is open."""
        with self._bounded(), self._watched():
            await self._connection.copy_records_to_table(table, columns=columns, records=rows)

    async def script(self, statements: str) -> None:
        """Run several statements, all or none."""
        async with self.transaction():
            await self._command(statements)

    async def run(self, statements: str) -> None:
        """Run several statements in the transaction that is open."""
        await self._command(statements)

    async def listen(self, channel: str, listener: Callable[[], None]) -> None:
        """Have this called at each notification, until the session ends; never if it is plain."""
        if self.is_plain:
            return
        with self._bounded(), self._watched():
            await self._connection.add_listener(channel, lambda *_: listener())

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
        except Exception as error:
            if not sqlstate.is_away(error):
                raise
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
        with self._bounded(), self._watched():
            return str(await self._connection.execute(text))

    @contextmanager
    def patient(self, seconds: float = WHOLE_PATIENCE) -> Iterator[None]:
        """Wait longer for each statement of the block, as it reads much."""
        usual, self._patience = self._patience, max(self._patience, seconds)
        try:
            yield
        finally:
            self._patience = usual

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Tell a lost connection from a misuse of the driver, which has one error for both."""
        try:
            yield
        except asyncpg.InterfaceError as error:
            if self.is_lost:
                raise SessionLost(cause_of(error)) from error
            raise

    def _bounded(self) -> "_Bound":
        return _Bound(self._patience, self.abort)

    def _note(self, _connection: Any, message: Any) -> None:
        self._warning = str(message.message)

    def _check_warning(self) -> None:
        if self._warning:
            raise OutcomeUnknown(f"the database warned at a commit: {self._warning}")


class _Bound:
    """Abort if the block takes too long. No task of its own: that would cost as much as a look."""

    def __init__(self, seconds: float, abort: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, abort)

    def __enter__(self) -> None:
        """Nothing: the time runs."""

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


async def open_session(
    url: str,
    patience: float = PATIENCE,
    password: str | None = None,
    *,
    waits_for_standby: bool = False,
    is_plain: bool = False,
    hosts: HostOrder | None = None,
) -> DatabaseSession:
    """Connect, to a server that takes changes unless the URL says otherwise.

    Raises the driver's errors. `password` is that of a file; None: the URL has one, or none is
    needed. With `waits_for_standby`, no setting of the role or the database keeps commits from
    waiting for the standbys that the database names. `hosts` has the hosts of the URL in the order
    in which they are tried.

    A pooler gives each transaction a session of the database that others have had before. So a
    plain session prepares no statements, and has the settings of its role. Raises StoreUnusable if
    one of these breaks a rule.
    """
    settings = _SETTINGS | _WAITING if waits_for_standby else _SETTINGS
    attributes = None if _has_attributes(url) else "read-write"

    places: dict[Any, str] = {}

    async def connect(one: str) -> Any:
        made = await asyncpg.connect(
            one,
            password=password,
            timeout=_CONNECT_PATIENCE,
            statement_cache_size=0 if is_plain else _STATEMENTS,
            max_cached_statement_lifetime=0,
            server_settings={_NAME: settings[_NAME]} if is_plain else settings,
            target_session_attrs=attributes,
        )
        places[made] = one
        return made

    connection = await connect_to_first((hosts or HostOrder(url)).urls, connect)
    session = DatabaseSession(connection, patience, is_plain=is_plain, host_url=places[connection])
    if is_plain:
        await _check_settings(session)
    return session


async def _check_settings(session: DatabaseSession) -> None:
    for setting in _NEEDED:
        [(found,)] = await session.fetch("SELECT current_setting($1)", setting)
        if found != _SETTINGS[setting]:
            session.abort()
            raise StoreUnusable(
                f"sessions of this role have {setting} = {found};"
                f" ALTER ROLE … SET {setting} = '{_SETTINGS[setting]}'"
            )


async def open_granted(
    url: str,
    access: DatabaseAccess,
    patience: float = PATIENCE,
    hosts: HostOrder | None = None,
) -> DatabaseSession:
    """Connect as the operator's settings say. Raises the driver's errors.

    The password is read each time, so a new one is used without a restart.
    """
    file = access.password_file
    password = None if file is None else file.read_text(encoding="utf-8").rstrip("\r\n")
    is_zero = access.recovery_point is RecoveryPoint.ZERO
    return await open_session(
        url,
        patience,
        password,
        waits_for_standby=is_zero,
        is_plain=access.is_plain,
        hosts=hosts,
    )


def _has_attributes(url: str) -> bool:
    """Tell whether the operator has said which server of several is meant."""
    return _ATTRIBUTES in parse_qs(urlsplit(url).query) or "PGTARGETSESSIONATTRS" in os.environ
