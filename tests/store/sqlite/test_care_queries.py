"""Each statement of the care of the store is one that the present schema takes."""

from collections.abc import Iterator

import pytest

from restante.store.sqlite import care_queries
from tests.store.sqlite.tables import Tables


def statements() -> Iterator[tuple[str, str]]:
    """Each statement with its name."""
    for name, value in vars(care_queries).items():
        if name.isupper() and isinstance(value, str):
            yield name, value
        elif name.isupper() and isinstance(value, dict):
            yield from ((f"{name} {key}", query) for key, query in value.items())


QUERIES = dict(statements())


@pytest.mark.parametrize("name", QUERIES)
def test_the_schema_takes_it(name: str) -> None:
    query = QUERIES[name]
    plan = Tables().rows(f"EXPLAIN {query}", *[1] * query.count("?"))
    assert plan


def test_a_walk_and_a_scrub_ask_the_index_that_they_are_named_for() -> None:
    tables = Tables()
    for index, query in (care_queries.WALKS | care_queries.UNINDEXED).items():
        plan = tables.rows(f"EXPLAIN QUERY PLAN {query}", *[1] * query.count("?"))
        assert any(f"INDEX {index}" in row[3] for row in plan), index


def test_a_recount_counts_messages_that_hold_nobody_apart() -> None:
    tables = Tables()
    tables.host()
    tables.hold(1, 1)
    tables.hold(2, 1)
    tables.connection.execute("UPDATE message SET held_paths = '' WHERE number = 2")
    [(domain_id, messages, octets, refused)] = tables.rows(care_queries.RECOUNT)
    assert (domain_id, messages, refused) == (1, 2, 1)
    assert tables.rows(care_queries.TOTALS) == [(2, octets)]
