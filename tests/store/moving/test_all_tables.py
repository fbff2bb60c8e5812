"""Every table of both stores moves, or has a reason to stay; and so does every column."""

import asyncio
from pathlib import Path
from typing import Final

import apsw
import asyncpg
import pytest

from restante.store.moving.moved_tables import (
    COUNTERS_OF_SQLITE,
    ID_COLUMNS,
    MOVED,
    NUMBERED,
    OWN_OF_POSTGRES,
    OWN_OF_SQLITE,
    STAYS_ON_POSTGRES,
    STAYS_ON_SQLITE,
)
from restante.store.sqlite import move_queries, open_sqlite
from restante.store.sqlite.engine import fetch
from tests.contract.conftest import postgres_template, postgres_url

__all__ = ["postgres_template", "postgres_url"]

BY_NAME: Final = {table.name: table for table in MOVED}
ADVICE: Final = "add it to MOVED, or to a list of those that stay, with the reason"


@pytest.fixture
def database(directory: Path, runner: asyncio.Runner) -> apsw.Connection:
    """The database of a new store on SQLite."""

    async def make() -> None:
        await (await open_sqlite(directory)).close()

    runner.run(make())
    return apsw.Connection(str(directory / "restante.db"))


def columns_of_sqlite(database: apsw.Connection) -> dict[str, set[str]]:
    names = fetch(database, "SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {
        name: {column for _, column, *_ in fetch(database, f"PRAGMA table_info({name})")}
        for (name,) in names
    }


async def rows_of_postgres(url: str, query: str) -> list[tuple[str, ...]]:
    connection = await asyncpg.connect(url, statement_cache_size=0)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def columns_of_postgres(url: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, column in await rows_of_postgres(
        url,
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public'",
    ):
        found.setdefault(table, set()).add(column)
    return found


def test_every_table_on_sqlite_moves_or_has_a_reason(database: apsw.Connection) -> None:
    found = columns_of_sqlite(database)
    assert found.keys() == BY_NAME.keys() | STAYS_ON_SQLITE.keys(), ADVICE
    for name, table in BY_NAME.items():
        assert found[name] == set(table.columns) | OWN_OF_SQLITE.get(name, set()), (name, ADVICE)


async def test_every_table_on_postgresql_moves_or_has_a_reason(postgres_url: str) -> None:
    found = await columns_of_postgres(postgres_url)
    assert found.keys() == BY_NAME.keys() | STAYS_ON_POSTGRES.keys(), ADVICE
    for name, table in BY_NAME.items():
        assert found[name] == set(table.columns) | OWN_OF_POSTGRES.get(name, set()), (name, ADVICE)


def test_the_key_of_each_table_is_its_primary_key(database: apsw.Connection) -> None:
    for name, table in BY_NAME.items():
        rows = fetch(database, f"PRAGMA table_info({name})")
        key = {row[1]: row[5] for row in rows if row[5]}
        assert tuple(sorted(key, key=lambda column: key[column])) == table.key, name


async def test_every_table_that_gives_out_ids_is_listed(
    database: apsw.Connection, postgres_url: str
) -> None:
    identities = await rows_of_postgres(
        postgres_url,
        "SELECT table_name, column_name FROM information_schema.columns WHERE is_identity = 'YES'",
    )
    assert {table: column for table, column in identities} == ID_COLUMNS  # noqa: C416  types
    on_sqlite = {name for (name,) in fetch(database, move_queries.AUTOINCREMENT)}
    assert on_sqlite <= set(NUMBERED)


async def test_every_counter_moves_or_is_counted_again(
    database: apsw.Connection, postgres_url: str
) -> None:
    moved = {"change-number"}
    assert BY_NAME["counter"].only == "name = 'change-number'"
    assert {
        name for (name,) in fetch(database, "SELECT name FROM counter")
    } == moved | COUNTERS_OF_SQLITE
    on_postgres = await rows_of_postgres(postgres_url, "SELECT name FROM counter")
    assert {name for (name,) in on_postgres} == moved
