"""The statements of a move: whole tables, by their keys."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from functools import cache

from restante.store.moving.moved_tables import MovedTable
from restante.store.sqlite.engine import quoted

_FILE = "file"


def _columns(table: MovedTable) -> list[str]:
    names = [*table.columns, *([_FILE] if table.has_content else [])]
    return [quoted(name) for name in names]


@cache
def rows_after(table: MovedTable, *, is_first: bool) -> str:
    """Read a table in the order of its key, from its beginning or behind a key."""
    key = ", ".join(map(quoted, table.key))
    conditions = [table.only] if table.only else []
    if not is_first:
        conditions.append(f"({key}) > ({', '.join('?' * len(table.key))})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(_columns(table))} FROM {quoted(table.name)}{where} ORDER BY {key}"


@cache
def add_row(table: MovedTable) -> str:
    """Add a row. A row that is there is an error, except where each new store has it."""
    columns = _columns(table)
    verb = "INSERT OR REPLACE" if table.only else "INSERT"
    marks = ", ".join("?" * len(columns))
    return f"{verb} INTO {quoted(table.name)} ({', '.join(columns)}) VALUES ({marks})"


def count_rows(table: MovedTable) -> str:
    """Count the rows that move."""
    return f"SELECT count(*) FROM {quoted(table.name)}{f' WHERE {table.only}' * bool(table.only)}"


def highest_id(name: str, column: str) -> str:
    """Return the highest id in a table."""
    return f"SELECT coalesce(max({quoted(column)}), 0) FROM {quoted(name)}"


GIVEN_IDS = "SELECT name, seq FROM sqlite_sequence"
# Tables with AUTOINCREMENT have their name in their statement.
AUTOINCREMENT = """
    SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'
"""

MAKE_STEPS = """
    CREATE TABLE IF NOT EXISTS move_step (
        name TEXT PRIMARY KEY, rows INTEGER NOT NULL, octets INTEGER NOT NULL, after TEXT,
        digest BLOB NOT NULL, is_done INTEGER NOT NULL
    ) STRICT
"""
HAS_STEPS = "SELECT 1 FROM sqlite_schema WHERE name = 'move_step'"
STEPS = "SELECT name, rows, octets, after, digest, is_done FROM move_step"
NOTE_STEP = "INSERT OR REPLACE INTO move_step VALUES (?, ?, ?, ?, ?, ?)"
FORGET_STEPS = "DROP TABLE IF EXISTS move_step"

FORGET_USAGE = "DELETE FROM usage"
FORGET_HOURS = "DELETE FROM history_hour"
HOURS_ANEW = """
    INSERT INTO history_hour (first_id, hour)
    SELECT id, hour
    FROM (SELECT id, hour, lag(hour) OVER (ORDER BY id) AS earlier
        FROM (SELECT id, CAST(at / 3600 AS INTEGER) AS hour FROM history))
    WHERE hour IS NOT earlier
"""
HIGHEST_NUMBER = """
    SELECT max(
        coalesce((SELECT max(number) FROM message), 0),
        coalesce((SELECT max(number) FROM history), 0),
        coalesce((SELECT max(id) FROM release), 0)
    )
"""
