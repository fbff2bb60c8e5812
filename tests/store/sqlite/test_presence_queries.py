"""The plans of the statements on presence: no list of changes is sorted, no table read whole."""

import apsw
import pytest

from restante.store.sqlite import migrations, presence_queries


def steps(query: str) -> list[str]:
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    bindings = {
        presence_queries.CHANGES: ("a", "b", None, 10),
        presence_queries.TRIM: (1.0, 10),
    }
    return [
        row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", bindings.get(query, ()))
    ]


def test_changes_come_in_the_order_of_the_index() -> None:
    [step] = steps(presence_queries.CHANGES)
    assert step.startswith("SEARCH presence USING INDEX presence_of_destination")


@pytest.mark.parametrize("query", [presence_queries.LATEST, presence_queries.TRIM])
def test_the_newest_of_each_is_found_in_the_index_alone(query: str) -> None:
    found = [step for step in steps(query) if "COVERING INDEX presence_of_destination" in step]
    assert found
    assert not [step for step in steps(query) if "TEMP B-TREE" in step]
