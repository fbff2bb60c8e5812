"""The engine: the supported versions of SQLite, the set-up of connections, the meaning of errors.

SQLite 3.7.0 to 3.51.2 can lose committed data when one connection writes while another checkpoints,
and distributions ship those versions. So only the engine bundled with apsw is used, its version is
checked, and one connection alone writes and checkpoints.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

import apsw

from restante.mail.address import path_matches
from restante.store.store_errors import SearchTooLong, StoreUnusable
from restante.store.stored_form.origin_column import client_is_within
from restante.store.stored_form.row_type import Row
from restante.tenancy.history_detail import reply_code, shortened
from restante.tenancy.model import parse_network

Bindings = Sequence[Any] | Mapping[str, Any]

OLDEST = (3, 51, 3)
"""The first version without the checkpoint race."""

PAGE_SIZE = 4096
"""Octets of a page of a new database; docs/decisions/0039-pages-of-4-kib.md has the figures.

A database keeps the size that it was made with, and earlier versions made pages of 16 KiB. To count
pages, ask the database at hand (`page_size_of`)."""

JOURNAL_LIMIT = 256 * 1024 * 1024
"""Octets to which a log that slow readers let grow is cut back.

Normally it is reused, which makes a sync cheaper.
"""

SEARCH_SECONDS = 5.0
"""The longest search by sender, Message-ID or pattern. There are few reading connections."""

_STEPS_BETWEEN_LOOKS = 10_000  # of the engine's program: less than a millisecond
_WRITER_CACHE_KIB = 32 * 1024
_READER_CACHE_KIB = 8 * 1024
_BUSY_PATIENCE_MS = 10_000  # somebody's sqlite3 shell may hold the write lock for a moment
_BUSY_IMPATIENCE_MS = 250
_STATEMENTS = 256  # kept prepared: one per number of messages in an INSERT, and all the others


def check_engine(version: str | None = None) -> None:
    """Raise StoreUnusable if the engine may lose data; the argument is for tests."""
    version = version or apsw.sqlite_lib_version()
    if tuple(map(int, version.split("."))) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise StoreUnusable(
            f"SQLite {version} can lose committed mail: {oldest} or newer is needed. "
            "Install apsw from its wheel, which brings its own engine"
        )


def open_write_connection(
    path: Path, vfs: str | None = None, page_size: int = PAGE_SIZE
) -> apsw.Connection:
    """Open the one connection that writes. It checkpoints only when told to.

    `page_size` counts only for a database that has no page yet.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags, vfs=vfs, statementcachesize=_STATEMENTS)
    _set_up(connection, _WRITER_CACHE_KIB)
    choose_page_layout(connection, page_size)
    if connection.pragma("journal_mode", "WAL") != "wal":
        raise StoreUnusable(
            f"{path}: this file system cannot share memory between connections; use a local disk"
        )
    connection.pragma("synchronous", "FULL")
    add_functions(connection)
    connection.pragma("journal_size_limit", JOURNAL_LIMIT)
    return connection


def choose_page_layout(connection: apsw.Connection, page_size: int = PAGE_SIZE) -> None:
    """Choose the form of a database that has no page yet. It costs 3 % more log (free_space.py)."""
    if not connection.pragma("page_count"):
        connection.pragma("page_size", page_size)
        connection.pragma("auto_vacuum", "INCREMENTAL")


def page_size_of(connection: apsw.Connection) -> int:
    """Return the octets of a page of this database."""
    return int(connection.pragma("page_size"))


def open_reader(path: Path, vfs: str | None = None) -> apsw.Connection:
    """Open a connection that can neither write nor checkpoint, not even when it is closed."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, vfs=vfs)
    _set_up(connection, _READER_CACHE_KIB)
    connection.pragma("query_only", value=True)
    add_functions(connection)
    return connection


def add_functions(connection: apsw.Connection) -> None:
    """Give a connection the functions of listings, and of history that keeps no whole addresses.

    Each row they look at costs the interpreter's lock.
    """
    connection.create_scalar_function("any_path_matches", _any_path_matches, 2, deterministic=True)
    connection.create_scalar_function("client_is_within", _client_is_within, 2, deterministic=True)
    for function in (shortened, reply_code):
        connection.create_scalar_function(
            function.__name__, cast(Callable[..., str], function), 1, deterministic=True
        )


def _any_path_matches(*given: Any) -> bool:
    """Tell whether one of some paths, a line each, matches; GLOB knows neither lines nor case."""
    paths, pattern = given
    return any(path_matches(path, str(pattern)) for path in str(paths).split("\n"))


def _client_is_within(*given: Any) -> bool:
    """Tell whether an address is in a network; both are texts."""
    address, network = given
    return client_is_within(str(address), _network(str(network)))


_network: Final = lru_cache(maxsize=64)(parse_network)


def _set_up(connection: apsw.Connection, cache_kib: int) -> None:
    connection.set_busy_timeout(_BUSY_PATIENCE_MS)
    connection.wal_autocheckpoint(0)
    connection.pragma(
        "mmap_size", 0
    )  # an I/O error in mapped memory is a signal that kills the process
    connection.pragma("cache_size", -cache_kib)
    connection.pragma("temp_store", "MEMORY")


def fetch(connection: apsw.Connection, query: str, bindings: Bindings = ()) -> list[Row]:
    """Run one statement to its end."""
    return connection.execute(query, bindings).fetchall()


def quoted(name: str) -> str:
    """Return a name of the schema as a statement takes it."""
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def time_limit(connection: apsw.Connection, seconds: float) -> Iterator[None]:
    """Bound the time of the statements in the block. Raises SearchTooLong."""
    ends_at = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() >= ends_at, _STEPS_BETWEEN_LOOKS)
    try:
        yield
    except apsw.InterruptError:
        text = f"the search was ended after {seconds:g} s; name a domain or a time, to search less"
        raise SearchTooLong(text) from None
    finally:
        connection.set_progress_handler(None)


@contextmanager
def impatience(connection: apsw.Connection) -> Iterator[None]:
    """Wait for other connections' transactions only so long that no waiting client would notice."""
    connection.set_busy_timeout(_BUSY_IMPATIENCE_MS)
    try:
        yield
    finally:
        connection.set_busy_timeout(_BUSY_PATIENCE_MS)


def close_without_checkpoint(connection: apsw.Connection) -> None:
    """Close without a checkpoint: after a failed sync it could make doubtful pages look sound."""
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.close()


def concerns_the_store(error: BaseException) -> bool:
    """Tell whether an error results from the state of disk or database, not from one change."""
    return isinstance(error, (*_CURABLE, *_FINAL))


def is_final(error: BaseException) -> bool:
    """Tell whether the database must be reopened before anything it says is believed.

    After a failed sync the kernel may have dropped what it could not write, and would report the
    next sync as good. A full disk is another matter: it is reported before anything is promised.
    """
    return isinstance(error, _FINAL) and not is_want_of_room(error)


def is_damage(error: BaseException) -> bool:
    """Tell whether an error says that the database is damaged or the disk cannot read it."""
    if isinstance(error, apsw.IOError):
        return getattr(error, "extendedresult", 0) in _UNREADABLE
    return isinstance(error, _DAMAGE)


def is_want_of_room(error: BaseException) -> bool:
    """Tell whether the disk is full: for the files of the database, or for the index of its log."""
    if isinstance(error, apsw.IOError):
        return getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE
    return isinstance(error, apsw.FullError)


# UnicodeDecodeError: a text in a row is none. All that is stored was encoded by us, so the row is
# not what was written.
_DAMAGE = (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError)
_FINAL = (apsw.IOError, *_DAMAGE)
_UNREADABLE = (
    apsw.SQLITE_IOERR_READ,
    apsw.SQLITE_IOERR_SHORT_READ,
    apsw.SQLITE_IOERR_CORRUPTFS,
    apsw.SQLITE_IOERR_DATA,
)
_CURABLE = (
    apsw.FullError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.NoMemError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.PermissionsError,
    apsw.InterruptError,
    MemoryError,
)
