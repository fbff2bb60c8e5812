"""The plans of the history: each walks its index from the newest entry, and sorts nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

import apsw
import pytest

from restante.store.sqlite import engine, history_queries, migrations

FILTER: Mapping[str, Any] = {
    "domain_id": 1,
    "domain_ids": "[1,2]",
    "number": None,
    "message_id": None,
    "reverse_path": None,
    "recipient": None,
    "outcome": None,
    "since": None,
    "until": None,
    "first": 0,
    "last": 99,
    "limit": 10,
}

BETWEEN = "rowid>? AND rowid<?"


@pytest.fixture(scope="module")
def connection() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    engine.add_functions(connection)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("domains", "by_number", "first"),
    [
        (
            1,
            False,
            f"SEARCH history USING INDEX history_domain (domain_id=? AND {BETWEEN})",
        ),
        (None, False, f"SEARCH history USING INTEGER PRIMARY KEY ({BETWEEN})"),
        (2, False, f"SEARCH history USING INTEGER PRIMARY KEY ({BETWEEN})"),
        (
            None,
            True,
            f"SEARCH history USING INDEX history_number (number=? AND {BETWEEN})",
        ),
        (1, True, f"SEARCH history USING INDEX history_number (number=? AND {BETWEEN})"),
    ],
)
def test_entries_come_in_the_order_of_an_index(
    connection: apsw.Connection, domains: int | None, by_number: bool, first: str
) -> None:
    query = history_queries.entries(domains=domains, by_number=by_number)
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", FILTER)]
    assert steps[0] == first
    assert not [step for step in steps if "TEMP B-TREE" in step]


def test_figures_count_no_rows(connection: apsw.Connection) -> None:
    steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {history_queries.FIGURES}")]
    assert steps.count("SEARCH history") == 2  # its first and its last entry


def test_the_hour_of_the_next_entry_is_noted_without_a_walk(connection: apsw.Connection) -> None:
    for query, first in (
        (history_queries.NOTE_HOUR, "SEARCH history"),
        (history_queries.DETAIL, "SCAN history_hour"),
    ):
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", (1,))]
        assert first in steps
        assert not [step for step in steps if "TEMP B-TREE" in step]
