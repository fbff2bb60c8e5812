"""The engine: its supported versions, and the set-up of its connections."""

import apsw
import pytest

from restante.store.sqlite import SqliteStore, engine
from restante.store.store_errors import SearchTooLong, StoreUnusable


@pytest.mark.parametrize("version", ["3.51.3", "3.51.10", "3.52.0", "4.0.0"])
def test_engines_without_the_checkpoint_race_will_do(version: str) -> None:
    engine.check_engine(version)


@pytest.mark.parametrize("version", ["3.51.2", "3.46.1", "3.7.0"])
def test_older_engines_will_not(version: str) -> None:
    with pytest.raises(StoreUnusable, match=rf"SQLite {version} can lose .* 3\.51\.3"):
        engine.check_engine(version)


async def test_the_database_is_set_up_to_keep_what_it_says(store: SqliteStore) -> None:
    connection = store.core.writer._connection
    pragmas = {
        name: connection.pragma(name)
        for name in ("journal_mode", "synchronous", "page_size", "mmap_size")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "page_size": 4096, "mmap_size": 0}


def test_a_search_ends_in_its_time_and_the_connection_goes_on() -> None:
    connection = apsw.Connection(":memory:")
    endless = (
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    )
    with (
        pytest.raises(SearchTooLong, match="after 0 s; name a domain"),
        engine.time_limit(connection, 0.0),
    ):
        connection.execute(endless).fetchall()
    with engine.time_limit(connection, 1000.0):
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
    query = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 300000)"
    assert connection.execute(f"{query} SELECT max(x) FROM n").fetchall() == [(300000,)]
