"""How a damaged database is opened for salvage: as it is, or as a copy with readable first pages.

The damaged store is never written to. A copy has zeros in place of unreadable pages, and empty
pages for an end that is missing. If the first page is no valid header, it gets the header of a new
database. If the page's list of tables is lost too, the copy gets the whole page, and then
the other pages of that list. Tables stand at the same pages in every database that this program
made in one go.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import apsw

from restante.store.sqlite import engine, migrations
from restante.store.sqlite.damaged_table import UNREADABLE
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.stored_page_size import stored_page_size
from restante.store.store_errors import StoreUnusable

_HEADER = 100  # octets
_INNER = 5  # the kind of a page that has numbers of other pages
_CHANGE_COUNTER, _VALID_FOR = slice(24, 28), slice(92, 96)
_PAGES, _FREE_PAGES = slice(28, 32), slice(32, 40)
_MAGIC = b"SQLite format 3\0"
_MOST_BEYOND = 1 << 40  # octets beyond the end of the file: the copy has a hole there
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
    if not database.stat().st_size:
        raise unreadable(database)
    if (connection := _open(database)) is not None:
        with closing(connection):
            yield connection, int(connection.pragma("user_version")), ""
        return
    page_size = stored_page_size(database)
    pages = _schema_pages(work, page_size)
    least = max((work / "new.db").stat().st_size, _size_by_header(database, page_size))
    header = {1: pages[1][:_HEADER]}
    for replaced, done in (
        ({}, "missing or unreadable pages were replaced by empty ones"),
        (header, "its header was replaced"),
        ({1: pages[1]}, "its first page was replaced"),
        (pages, "its list of tables was replaced"),
    ):
        copy = work / "copy.db"
        _copy(database, copy, page_size, replaced, least)
        if (connection := _open(copy)) is not None:
            with closing(connection):
                yield connection, _version(connection), done
            return
    raise unreadable(database)


def unreadable(database: Path) -> StoreUnusable:
    """Return the error for a database of which nothing is left."""
    return StoreUnusable(f"{database}: no part of it can be read; restore a backup")


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


def _copy(
    database: Path, copy: Path, page_size: int, replaced: Mapping[int, bytes], least: int
) -> None:
    """Copy a database and its log; put octets over the beginning of some of the copy's pages.

    The copy has at least so many octets: the engine refuses a list with tables beyond the end.
    """
    for name in ("", "-wal", "-shm"):
        Path(f"{copy}{name}").unlink(missing_ok=True)
    _copy_readable(database, copy, page_size)
    log = Path(f"{database}-wal")
    if log.exists():
        _copy_readable(log, Path(f"{copy}-wal"), page_size)
    with copy.open("r+b") as file:
        for page, octets in replaced.items():
            file.seek((page - 1) * page_size)
            file.write(octets)
        size = max(file.seek(0, os.SEEK_END), least)
        file.truncate(-(-size // page_size) * page_size)


def _copy_readable(source: Path, place: Path, page_size: int) -> None:
    """Copy a file, with zeros for pages that the disk does not return. Raises OSError."""
    with source.open("rb", buffering=0) as read, place.open("wb") as written:
        size = os.fstat(read.fileno()).st_size
        for at in range(0, size, page_size):
            written.seek(at)
            written.write(_readable(read.fileno(), at, page_size))
        written.truncate(size)


def _readable(descriptor: int, at: int, octets: int) -> bytes:
    try:
        return os.pread(descriptor, octets, at)
    except OSError:
        return b""


def _size_by_header(database: Path, page_size: int) -> int:
    """Return the octets that a database has by its header, 0 if that is lost or hardly true."""
    with database.open("rb", buffering=0) as file:
        header = _readable(file.fileno(), 0, _HEADER)
        size = int.from_bytes(header[_PAGES]) * page_size
        is_likely = header.startswith(_MAGIC) and size <= _MOST_BEYOND + file.seek(0, os.SEEK_END)
    return size if is_likely else 0


def _schema_pages(work: Path, page_size: int) -> dict[int, bytes]:
    """Return the pages with the list of tables of a new database, by their numbers from 1.

    The first one is made to take the database's size from the file.
    """
    new = work / "new.db"
    new.unlink(missing_ok=True)
    with closing(engine.open_write_connection(new, page_size=page_size)) as connection:
        migrations.migrate(connection)
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    octets = new.read_bytes()
    first = bytearray(octets[:page_size])
    first[_CHANGE_COUNTER], first[_VALID_FOR], first[_FREE_PAGES] = (
        bytes([0, 0, 0, 2]),
        bytes([0, 0, 0, 1]),
        bytes(8),
    )
    others = {
        page: octets[(page - 1) * page_size : page * page_size] for page in _pages_below(first)
    }
    return {1: bytes(first), **others}


def _pages_below(first: bytearray) -> list[int]:
    """Return the pages that the first page names, if its tree has more than this page.

    See https://www.sqlite.org/fileformat2.html, section 1.6.
    """
    if first[_HEADER] != _INNER:
        return []
    count = int.from_bytes(first[_HEADER + 3 : _HEADER + 5])
    places = (_HEADER + 12 + 2 * cell for cell in range(count))
    cells = [int.from_bytes(first[place : place + 2]) for place in places]
    return [int.from_bytes(first[at : at + 4]) for at in (*cells, _HEADER + 8)]


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
