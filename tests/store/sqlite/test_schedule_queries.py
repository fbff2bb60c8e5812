"""The plan of the question whether a change is in the way: it finds one domain's by the index."""

import apsw

from restante.store.sqlite import migrations, schedule_queries


def test_the_changes_of_one_domain_are_found_by_the_index() -> None:
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    query = f"EXPLAIN QUERY PLAN {schedule_queries.IN_THE_WAY}"
    [step] = [row[3] for row in connection.execute(query, (1, True, True))]
    assert step.startswith("SEARCH scheduled_change USING INDEX scheduled_change_of_domain")
