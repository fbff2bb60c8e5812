"""The cost of one changed record among many, and of an idle poll."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from restante.store.record_store import CHANGES_KEPT
from restante.store.sqlite import (
    engine,
    migrations,
    notice_queries,
    open_sqlite,
    record_queries,
    record_reading,
)
from tests.contract.making import NOTED, account


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    """A reader of a store with more changes than are kept."""

    async def fill() -> None:
        store = await open_sqlite(tmp_path / "store")
        for nth in range(CHANGES_KEPT + 5):
            await store.records.put_account(account(f"a{nth % 7}"), NOTED)
        await store.close()

    asyncio.run(fill())
    connection = engine.open_reader(tmp_path / "store" / "restante.db")
    yield connection
    connection.close()


def test_old_changes_are_dropped(connection: apsw.Connection) -> None:
    rows = connection.execute("SELECT count(*), min(number), max(number) FROM change").fetchall()
    assert rows == [(CHANGES_KEPT, 6, CHANGES_KEPT + 5)]


def test_an_idle_poll_is_one_statement_outside_of_a_transaction(
    connection: apsw.Connection,
) -> None:
    statements: list[str] = []
    connection.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: statements.append(event["sql"]))
    assert record_reading.changes_since(connection, CHANGES_KEPT + 5) == []
    assert statements == [record_queries.CHANGE_NUMBER]


@pytest.mark.parametrize(
    ("query", "table"),
    [
        (record_queries.ACCOUNTS_NAMED, "account"),
        (record_queries.LOGINS_NAMED, "login"),
        (record_queries.DOMAINS_BY_ID, "domain"),
        (notice_queries.CHANNELS_BY_ID, "channel"),
    ],
)
def test_a_changed_record_is_read_by_its_key(query: str, table: str) -> None:
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    first = connection.execute(f"EXPLAIN QUERY PLAN {query}", ("[]",)).fetchall()[0]
    assert str(first[3]).startswith(f"SEARCH {table} USING ")
