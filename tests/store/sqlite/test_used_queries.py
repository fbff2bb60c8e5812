"""The plans of the statements about used values: a flood of sign-ins slows none of them."""

import apsw
import pytest

from restante.store.sqlite import migrations, used_queries


@pytest.mark.parametrize(
    ("statement", "bindings", "plan"),
    [
        (used_queries.PRESENT, (b"x",), "USING PRIMARY KEY (digest=?)"),
        (used_queries.TRIM, (1.0, 500), "used_value_end (until<?)"),
    ],
    ids=range(2),
)
def test_a_statement_seeks(statement: str, bindings: tuple[object, ...], plan: str) -> None:
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    found = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings)]
    assert any(plan in step for step in found), found
    assert not [step for step in found if step.startswith("SCAN used_value")]
