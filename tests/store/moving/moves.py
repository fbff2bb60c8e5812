"""Stores with rows in every table, moves of them, and their contents as they are."""

import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import apsw

from restante.store import choice
from restante.store.database_access import DatabaseAccess
from restante.store.moving.move_end import MoveSource, MoveTarget
from restante.store.moving.moved_tables import MESSAGES, MOVED, MovedTable
from restante.store.moving.store_mover import MoveReport, StoreMover, new_mark
from restante.store.sqlite import open_sqlite
from restante.store.stored_form.row_type import Row
from restante.tenancy.audit import AuditAction, AuditEntry
from tests.postgres_cluster import ALONE

ROWS = 7  # of each table
LARGE = 1 << 53
TEXTS = ("plain", "", "Grüße €𝄞", "two\nlines", 'it\'s "quoted" \\ %s', "\x01\x7f", "é".upper())
MOVED_ENTRY = AuditEntry(5.0, AuditAction.STORE_MOVED, "operator root", "store")
Everything = dict[str, list[Row]]


def nothing_shown(_phase: str, _done: int, _of: int) -> None:
    """Show no progress."""


async def make_rows(directory: Path) -> None:
    """Make a store on SQLite, and put rows into every table that moves: some with content."""
    await (await open_sqlite(directory)).close()
    connection = apsw.Connection(str(directory / "restante.db"))
    with connection:
        for table in MOVED:
            if not table.only:
                _fill(connection, table, directory)
        for (name,) in connection.execute("SELECT name FROM sqlite_sequence").fetchall():
            connection.execute("UPDATE sqlite_sequence SET seq = 900 WHERE name = ?", (name,))
        connection.execute("UPDATE counter SET value = 77 WHERE name = 'change-number'")
        connection.execute(
            "INSERT INTO history_hour SELECT id, CAST(at / 3600 AS INTEGER) FROM history"
        )
    connection.close()


def _fill(connection: apsw.Connection, table: MovedTable, directory: Path) -> None:
    columns = {
        name: (kind, is_needed)
        for _, name, kind, is_needed, *_ in connection.execute(f"PRAGMA table_info({table.name})")
    }
    for number in range(ROWS):
        values = {name: _value(table, name, *columns[name], number) for name in table.columns}
        if table is MESSAGES:
            values |= _mail(number, directory)
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" * len(values))
        connection.execute(
            f"INSERT INTO {table.name} ({names}) VALUES ({marks})", tuple(values.values())
        )


def _value(table: MovedTable, name: str, kind: str, is_needed: int, number: int) -> Any:
    is_key = name in table.key
    if not (is_needed or is_key) and number % 3 == 0:
        return None
    if name == "is_open":
        return number % 2
    if kind == "INTEGER":
        return number * 3 + 1 if is_key else number
    if kind == "REAL":
        return 1.7e9 + number + 0.123456789
    if kind == "BLOB":
        return bytes([number, 0, 255]) * (number + 1)
    return f"{name} {number} {TEXTS[number % len(TEXTS)]}"


def _mail(number: int, directory: Path) -> dict[str, Any]:
    """Return columns of a message: some with large content, of which some is damaged."""
    head = b"Subject: %d\r\n\r\n\0\xff" % number * (number * 300 + 1)
    found: dict[str, Any] = {
        "number": LARGE + number * 1000,
        "held_paths": "" if number == 1 else f"a@b.example\nb{number}@b.example",
        "head": head,
        "head_crc32": zlib.crc32(head) ^ (number == 2),  # damaged
        "size": len(head),
        "file_crc32": None,
    }
    if number >= 4:
        large = bytes(range(256)) * (4096 * (number - 4)) + b"end"
        name = f"{number}/{number:032x}"
        if number != 6:  # missing
            (directory / "content" / name).write_bytes(large)
        found |= {
            "file": name,
            "file_crc32": zlib.crc32(large),
            "size": len(head) + len(large),
        }
    return found


@asynccontextmanager
async def ends(
    source: str, target: str, access: DatabaseAccess = ALONE
) -> AsyncIterator[tuple[MoveSource, MoveTarget]]:
    """Open the stores of a move."""
    async with AsyncExitStack() as opened:
        one = await choice.open_move_source(source, access)
        opened.push_async_callback(one.close)
        other = await choice.open_move_target(target, access)
        opened.push_async_callback(other.close)
        yield one, other


async def move(
    source: str,
    target: str,
    change: Callable[[MoveTarget], MoveTarget] = lambda target: target,
    access: DatabaseAccess = ALONE,
) -> MoveReport:
    """Move a store, into a changed target."""
    async with ends(source, target, access) as (one, other):
        mover = StoreMover(one, change(other), nothing_shown)
        mark = new_mark(f"move of {source}", other.place)
        return await mover.move(mark, lambda _report: MOVED_ENTRY)


async def everything(url: str, access: DatabaseAccess = ALONE) -> Everything:
    """Return the rows of all tables that move, each with its content."""
    source = await choice.open_move_source(url, access)
    try:
        return {table.name: [row async for row in _rows(source, table)] for table in MOVED}
    finally:
        await source.close()


async def _rows(source: MoveSource, table: MovedTable) -> AsyncIterator[Row]:
    after = None
    while rows := await source.rows(table, after):
        for row in rows:
            content = None
            if row.content:
                content = b"".join([block async for block in source.content(row.content)])
            yield (*row.values, content)
        after = table.key_of(rows[-1].values)


def without_entries(found: Everything, entries: int) -> Everything:
    """Take so many of the last entries of the audit trail away: those of moves."""
    return found | {"audit": found["audit"][: len(found["audit"]) - entries]}
