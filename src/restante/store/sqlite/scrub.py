"""A slow walk over everything in a serving store, so that we find damage before a customer does.

Theory of operation. The walk is cut into slices of some milliseconds. Each is a short transaction
on a connection and a thread of its own. So the log can be reused between them, and nothing waits
for the walk. The caller rests after each slice (store/scrubber.py), so that the walk keeps below
its share of a core.

    records, replies, reports, trail   the engine's check of each table with its indexes; row by row
                                       where that takes long
    held mail                          each row with its content and checksum, by number
    the indexes of held mail           whether each row has its entries: a drain and the sweep of
                                       content files use only these
    content files                      read whole, and compared

Damage to the database ends the store, as it does on any connection. Damaged content marks its
message refused. Limitation: empty pages are not read, and a change behind the walk is met by the
next one.
"""

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import apsw

from restante.store.sqlite import care_queries, engine, start_check
from restante.store.sqlite.damaged_table import SchemaTable, table_of
from restante.store.sqlite.engine import fetch, quoted
from restante.store.sqlite.mail_reading import UnreadableMessage
from restante.store.sqlite.regular_file import (
    is_curable,
    is_within_reach,
    look_at,
    what_is_wrong,
)
from restante.store.store_care import ScrubSlice
from restante.store.stored_form.row_type import Row
from restante.store.stored_form.rows import file_octets, is_whole

_BATCH = 32  # messages of one slice: 8 MiB of content at most
_ROWS = 256  # of another table
_SLICE_SECONDS = 0.01  # of this thread, at least
_CHECK_SECONDS = 0.05  # for the engine's check of one table; beyond, its rows are read in slices
_MAIL = "message"

_ScrubbedPart = tuple[int, int, int, list[UnreadableMessage]]  # messages, octets, files, damage


def scrub(
    path: Path, vfs: str | None, content: Path
) -> Generator[tuple[ScrubSlice, list[UnreadableMessage]]]:
    """Walk once over the database at `path` and the files in `content`, a slice at each step.

    Blocks.

    Yields what a slice has read, and the messages in it that are damaged. Raises apsw.Error, also
    for damage that the engine alone would not find.
    """
    with closing(engine.open_reader(path, vfs)) as connection:
        yield from _metered(_parts(connection, content))


def _parts(connection: apsw.Connection, content: Path) -> Iterator[_ScrubbedPart]:
    for table in start_check.tables(connection):
        if table != _MAIL:
            yield from _look_at_table(connection, table_of(connection, table))
    yield from _look_at_mail(connection, content)


def _metered(
    parts: Iterator[_ScrubbedPart],
) -> Iterator[tuple[ScrubSlice, list[UnreadableMessage]]]:
    """Combine parts to slices that keep this thread busy for a while: each waking has a cost."""
    part: _ScrubbedPart | None = (0, 0, 0, [])
    while part is not None:
        messages = octets = files = 0
        damaged: list[UnreadableMessage] = []
        began = time.thread_time()
        while (part := next(parts, None)) is not None:
            messages, octets, files = messages + part[0], octets + part[1], files + part[2]
            damaged += part[3]
            if time.thread_time() - began >= _SLICE_SECONDS:
                break
        yield ScrubSlice(messages, octets, files, time.thread_time() - began), damaged


def _look_at_table(connection: apsw.Connection, table: SchemaTable) -> Iterator[_ScrubbedPart]:
    """Have the engine check a table; only read its rows if that would block reuse of the log."""
    if start_check.is_done_within(
        connection, _CHECK_SECONDS, partial(_check_table, table=table.name)
    ):
        yield 0, 0, 0, []
        return
    last: Row | None = None
    keys = ", ".join(table.keys)
    while True:
        where = f"WHERE ({keys}) > ({', '.join('?' * len(table.keys))})" if last else ""
        place = f"{quoted(table.name)} {where}"  # all are names of the schema
        query = f"SELECT {keys}, * FROM {place} ORDER BY {keys} LIMIT {_ROWS}"  # noqa: S608
        rows = fetch(connection, query, last or ())
        yield 0, 0, 0, []
        if len(rows) < _ROWS:
            return
        last = rows[-1][: len(table.keys)]


def _check_table(connection: apsw.Connection, table: str) -> None:
    for finding in start_check.findings(connection, table):
        raise apsw.CorruptError(finding)


def _look_at_mail(connection: apsw.Connection, content: Path) -> Iterator[_ScrubbedPart]:
    last = 0
    while rows := fetch(connection, care_queries.SCRUBBED_AFTER, (last, _BATCH)):
        _look_at_indexes(connection, last, rows[-1][0])
        last = rows[-1][0]
        damaged = [
            UnreadableMessage(row[0], "its content does not match its checksum", row[1])
            for row in rows
            if _is_wrong(row)
        ]
        yield len(rows), sum(len(row[4]) for row in rows), 0, damaged
        for row in rows:
            if row[5] is not None:
                wrong = _wrong_with_file(content, row)
                yield (
                    0,
                    file_octets(row[2], row[4], row[3]),
                    1,
                    [UnreadableMessage(row[0], wrong, row[1])] if wrong else [],
                )


def _is_wrong(row: Row) -> bool:
    return not is_whole(row[4], row[3])


def _look_at_indexes(connection: apsw.Connection, after: int, last: int) -> None:
    for index, query in care_queries.UNINDEXED.items():
        for (number,) in fetch(connection, query, (after, last)):
            raise apsw.CorruptError(f"message {number} is missing from index {index}")


def _wrong_with_file(content: Path, row: Row) -> str:
    """Return what is wrong with a message's file, "" for nothing."""
    size, crc32 = file_octets(row[2], row[4], row[3]), row[6]
    try:
        found_size, found_crc32, _ = look_at(content / row[5], 0)
    except OSError as error:
        if is_curable(error) or not is_within_reach(content / row[5]):
            return ""
        return f"content file {row[5]} {what_is_wrong(error)}"
    is_right = (found_size, found_crc32) == (size, crc32)
    return "" if is_right else f"content file {row[5]} does not match its size and checksum"
