"""The statements of a move: whole tables, by their keys, and the mark."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from functools import cache
from typing import Final

from restante.store.moving.moved_tables import ID_COLUMNS, MOVED, MovedTable

# Columns that no other store has, with the value of a row that was moved: nobody runs its drain.
_ADDED: Final = {"drain": ("version", 1)}
_CONTENT: Final = "content_id"


def _quoted(name: str) -> str:
    return f'"{name}"'


@cache
def columns_of(table: MovedTable) -> tuple[str, ...]:
    """Return the columns of a new row, in the order of its values."""
    content = (_CONTENT,) if table.has_content else ()
    return (*table.columns, *content, *(_ADDED[table.name][:1] if table.name in _ADDED else ()))


def added_values(table: MovedTable) -> tuple[int, ...]:
    """Return the values of the columns that are added."""
    return (_ADDED[table.name][1],) if table.name in _ADDED else ()


@cache
def rows_after(table: MovedTable, *, is_first: bool) -> str:
    """Read $1 rows, of $2 octets and one row more; from the beginning, or behind a key."""
    columns = ", ".join(
        _quoted(name) for name in (*table.columns, *((_CONTENT,) if table.has_content else ()))
    )
    key = ", ".join(map(_quoted, table.key))
    conditions = [table.only] if table.only else []
    if not is_first:
        marks = ", ".join(f"${number}" for number in range(3, 3 + len(table.key)))
        conditions.append(f"({key}) > ({marks})")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    size = f"coalesce(octet_length({_quoted(table.heavy)}), 0)" if table.heavy else "0"
    return f"""
        SELECT {columns} FROM (
            SELECT *, sum(slice_octets) OVER (ORDER BY {key}) - slice_octets AS before FROM (
                SELECT *, {size} AS slice_octets FROM {_quoted(table.name)} {where}
                ORDER BY {key} LIMIT $1
            ) AS next
        ) AS slice
        WHERE before < $2 ORDER BY {key}
    """


def count_rows(table: MovedTable) -> str:
    """Count the rows that move."""
    where = f" WHERE {table.only}" if table.only else ""
    return f"SELECT count(*) FROM {_quoted(table.name)}{where}"


def has_rows(table: MovedTable) -> str:
    """Tell whether a table has a row that no new store has."""
    where = f" WHERE NOT ({table.only})" if table.only else ""
    return f"SELECT 1 FROM {_quoted(table.name)}{where} LIMIT 1"


def forget_rows(table: MovedTable) -> str:
    """Remove the rows that each new store has."""
    return f"DELETE FROM {_quoted(table.name)} WHERE {table.only}"


def given_id(name: str) -> str:
    """Return the highest id that a table has given out."""
    column = ID_COLUMNS[name]
    return f"""
        SELECT greatest(
            (SELECT coalesce(max({_quoted(column)}), 0)::bigint FROM {_quoted(name)}),
            (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}_{column}_seq)
        )
    """


def keep_id(name: str) -> str:
    """Have a table give out ids above $1 and above those that it has."""
    column = ID_COLUMNS[name]
    return f"""
        SELECT setval('{name}_{column}_seq', greatest(highest, 1), highest > 0) FROM (
            SELECT greatest($1::bigint, max({_quoted(column)})) AS highest FROM {_quoted(name)}
        ) AS given
    """


HAS_TABLES: Final = "SELECT to_regclass('restante_schema') IS NOT NULL"
HAS_MARK: Final = "SELECT to_regclass('move_mark') IS NOT NULL"
HAS_STEPS: Final = "SELECT to_regclass('move_step') IS NOT NULL"
LIVING: Final = "SELECT name FROM node WHERE expires_at > clock_timestamp() ORDER BY name"
# Processes that come back after their lease find their slot taken.
FENCE: Final = """
    UPDATE node SET epoch = epoch + 1, name = '', expires_at = '-infinity'
    WHERE expires_at > '-infinity' AND expires_at <= clock_timestamp()
"""

# There is one row at most. `runner` is the command that moves at present.
MAKE_MARK: Final = """
    CREATE TABLE IF NOT EXISTS move_mark (
        is_mark boolean PRIMARY KEY CHECK (is_mark), body text NOT NULL, runner text NOT NULL
    )
"""
MARK: Final = "SELECT body FROM move_mark"
SET_MARK: Final = """
    INSERT INTO move_mark (is_mark, body, runner) VALUES (true, $1, $2)
    ON CONFLICT (is_mark) DO UPDATE SET body = excluded.body, runner = excluded.runner
"""
FORGET_MARK: Final = "DROP TABLE IF EXISTS move_mark"
IS_RUNNER: Final = "UPDATE move_mark SET runner = runner WHERE runner = $1 RETURNING 1"

MAKE_STEPS: Final = """
    CREATE TABLE IF NOT EXISTS move_step (
        name text PRIMARY KEY, rows bigint NOT NULL, octets bigint NOT NULL, after text,
        digest bytea NOT NULL, is_done boolean NOT NULL
    )
"""
STEPS: Final = "SELECT name, rows, octets, after, digest, is_done FROM move_step"
NOTE_STEP: Final = """
    INSERT INTO move_step (name, rows, octets, after, digest, is_done)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (name) DO UPDATE SET rows = excluded.rows, octets = excluded.octets,
        after = excluded.after, digest = excluded.digest, is_done = excluded.is_done
"""
FORGET_STEPS: Final = "DROP TABLE IF EXISTS move_step"

# An interrupted content is written again, with the same octets.
ADD_CHUNK: Final = """
    INSERT INTO chunk (content_id, part, body) VALUES ($1, $2, $3)
    ON CONFLICT (content_id, part) DO NOTHING
"""
NEXT_CHUNK: Final = """
    SELECT part, body FROM chunk WHERE content_id = $1 AND part >= $2 ORDER BY part LIMIT 1
"""
FORGET_USAGE: Final = "DELETE FROM usage"
USAGE_ANEW: Final = """
    INSERT INTO usage (domain_id, node, messages, octets, refused)
    SELECT domain_id, 1, count(*), sum(size), count(*) FILTER (WHERE held_paths = '')
    FROM message GROUP BY domain_id
"""
_FILLED: Final = ", ".join(
    _quoted(name)
    for name in (
        *(table.name for table in MOVED),
        "chunk",
        "content_object",
        "usage",
        "oldest_mail",
    )
)
ANALYZE: Final = f"ANALYZE {_FILLED}"
CLEAR: Final = f"TRUNCATE {_FILLED} RESTART IDENTITY"
BEGIN_COUNTER: Final = "INSERT INTO counter (name, value) VALUES ('change-number', 0)"
