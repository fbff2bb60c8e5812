"""The plans of releases: a listing walks an index, and each count is one search."""

from collections.abc import Iterator
from typing import Any

import apsw
import pytest

from restante.store.sqlite import migrations, release_queries

FILTER: dict[str, Any] = {
    "ids": "[1,2]",
    "account": "alpha",
    "domain": "alpha.example",
    "domain_id": 1,
    "first": 0,
    "since": None,
    "until": None,
    "before": None,
    "limit": 10,
}
OWN = "SEARCH own USING PRIMARY KEY (release=?) LEFT-JOIN"
COUNTED = "SEARCH counted USING PRIMARY KEY (release=? AND domain_id=?) LEFT-JOIN"


@pytest.fixture(scope="module")
def connection() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    yield connection
    connection.close()


def plan(connection: apsw.Connection, query: str, bindings: Any = FILTER) -> list[str]:
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", bindings)]


@pytest.mark.parametrize(
    ("narrowed", "first"),
    [
        ((), "SEARCH release USING INTEGER PRIMARY KEY (rowid>?)"),
        (("by_ids",), "SEARCH release USING INTEGER PRIMARY KEY (rowid=?)"),
        (("by_domain",), "SEARCH release USING INTEGER PRIMARY KEY (rowid=?)"),
        (("by_account",), "SEARCH release USING INDEX release_account (account=? AND rowid>?)"),
        (("by_account", "by_domain"), "SEARCH release USING INTEGER PRIMARY KEY (rowid=?)"),
    ],
)
def test_a_listing_walks_an_index(
    connection: apsw.Connection, narrowed: tuple[str, ...], first: str
) -> None:
    wanted = {name: name in narrowed for name in ("by_ids", "by_account", "by_domain")}
    steps = plan(connection, release_queries.releases(**wanted))
    assert first in steps
    assert {OWN, COUNTED} <= set(steps)
    assert not [step for step in steps if step in ("SCAN own", "SCAN counted", "SCAN release")]


@pytest.mark.parametrize("query", [release_queries.TRIM, release_queries.TRIM_DRAINS])
def test_only_what_goes_is_read(connection: apsw.Connection, query: str) -> None:
    steps = plan(connection, query, (1, 2))
    assert not [step for step in steps if step.startswith("SCAN release")]
    assert not [step for step in steps if "TEMP B-TREE" in step]
