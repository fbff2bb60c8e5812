"""How a damaged database is opened for salvage: as it is, or as a copy with a readable first page.

The damaged store is never written to. If the first page is no valid header, a copy gets the header
of a new database. If the page's list of tables is lost too, the copy gets the whole page. Tables
stand at the same pages in every database that this program made in one go.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from restante.store.sqlite import engine, migrations
from restante.store.sqlite.engine import PAGE_SIZE, fetch
from restante.store.sqlite.tolerant import UNREADABLE
from restante.store.store_errors import StoreUnusable

_HEADER = 100  # octets
_CHANGE_COUNTER, _VALID_FOR = slice(24, 28), slice(92, 96)
_FREE_PAGES = slice(32, 40)
_NAMES = "SELECT type || ' ' || name FROM sqlite_schema"
_COLUMNS = """
    SELECT 'column ' || made.name || '.' || each.name
    FROM sqlite_schema AS made, pragma_table_info(made.name) AS each WHERE made.type = 'table'
"""


@contextmanager
def opened(database: Path, work: Path) -> Iterator[tuple[apsw.Connection, int, str]]:
    """Give a connection, the schema's version, and the change to the first page ("" for none).

    `work` is a directory for a copy, if one is needed. Raises StoreUnusable where there is nothing
    to be read from.
    """
    if (connection := _open(database)) is not None:
        with closing(connection):
            yield connection, int(connection.pragma("user_version")), ""
        return
    for octets, done in (
        (_HEADER, "its header was replaced"),
        (PAGE_SIZE, "its first page was replaced"),
    ):
        if (connection := _open(_copy(database, work, octets))) is not None:
            with closing(connection):
                yield connection, _version(connection), done
            return
    raise StoreUnusable(f"{database}: no part of it can be read; restore a backup")


def _open(database: Path) -> apsw.Connection | None:
    """Open a database, if it has a list of tables in which mail is."""
    try:
        connection = engine.open_reader(database)
    except UNREADABLE:
        return None
    try:
        if "table message" in {name for (name,) in fetch(connection, _NAMES)}:
            return connection
    except (*UNREADABLE, apsw.SQLError):
        pass
    connection.close()
    return None


def _copy(database: Path, work: Path, octets: int) -> Path:
    """Copy a database and its log; put `octets` of a new database's first page over the copy's."""
    copy = work / "copy.db"
    for name in ("", "-wal", "-shm"):
        Path(f"{copy}{name}").unlink(missing_ok=True)
    shutil.copyfile(database, copy)
    log = Path(f"{database}-wal")
    if log.exists():
        shutil.copyfile(log, f"{copy}-wal")
    with copy.open("r+b") as file:
        file.write(_first_page(work)[:octets])
        file.seek(0, os.SEEK_END)
        file.truncate(-(-file.tell() // PAGE_SIZE) * PAGE_SIZE)
    return copy


def _first_page(work: Path) -> bytes:
    """Return the first page of a new database, made to take its size from the file."""
    new = work / "new.db"
    new.unlink(missing_ok=True)
    with closing(engine.open_writer(new)) as connection:
        migrations.migrate(connection)
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    page = bytearray(new.read_bytes()[:PAGE_SIZE])
    page[_CHANGE_COUNTER], page[_VALID_FOR], page[_FREE_PAGES] = (
        bytes([0, 0, 0, 2]),
        bytes([0, 0, 0, 1]),
        bytes(8),
    )
    return bytes(page)


def _version(connection: apsw.Connection) -> int:
    """Return the newest version of the schema that is complete: the header's value may be ours.

    A column counts, of whatever table: without one that is asked for, a table cannot be read.
    """
    present = _parts(connection)
    for version in range(len(migrations.MIGRATIONS), 0, -1):
        with closing(apsw.Connection(":memory:")) as known:
            migrations.migrate(known, migrations.MIGRATIONS[:version])
            if _parts(known) <= present:
                return version
    return 1


def _parts(connection: apsw.Connection) -> set[str]:
    """Return the names of all that a schema has."""
    return {name for query in (_NAMES, _COLUMNS) for (name,) in fetch(connection, query)}
