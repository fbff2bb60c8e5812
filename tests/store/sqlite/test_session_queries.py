"""The plans of the statements about sessions: 10,000 of them slow no request and no sign-in."""

import apsw
import pytest

from restante.store.sqlite import migrations, session_queries

BY_KEY = "SEARCH portal_session USING PRIMARY KEY (id_hash=?)"
BY_USER = "portal_session_of_user (email=?)"


@pytest.mark.parametrize(
    ("statement", "bindings", "plan"),
    [
        (session_queries.ONE, (b"x",), BY_KEY),
        (session_queries.IS_OF_USER, (b"x", "a"), BY_KEY),
        (session_queries.KEEP_USE, (1.0, b"x"), BY_KEY),
        (session_queries.END, (b"x",), BY_KEY),
        (session_queries.OF_USER, ("a",), BY_USER),
        (session_queries.TRIM_USER, ("a", 20), BY_USER),
        (session_queries.END_OF_USER, ("a",), BY_USER),
        (session_queries.END_OTHER_STAMPS, ("a", b"x"), BY_USER),
        (session_queries.TRIM, (1.0, 500), "portal_session_use (used_at<?)"),
    ],
    ids=range(9),
)
def test_a_statement_seeks(statement: str, bindings: tuple[object, ...], plan: str) -> None:
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    found = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings)]
    assert any(plan in step for step in found), found
    assert not [step for step in found if step.startswith("SCAN portal_session")]
