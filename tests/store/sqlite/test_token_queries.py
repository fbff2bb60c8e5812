"""The plans of the statements about tokens: each seeks what it is about."""

import apsw
import pytest

from restante.store.sqlite import migrations, token_queries


@pytest.mark.parametrize(
    ("statement", "bindings", "plan"),
    [
        (token_queries.ACCOUNT_OF, ("x",), "SEARCH token USING PRIMARY KEY (id=?)"),
        (token_queries.REMOVE, ("x",), "SEARCH token USING PRIMARY KEY (id=?)"),
        (token_queries.REMOVE_USE, ("x",), "SEARCH token_use USING PRIMARY KEY (id=?)"),
        (
            token_queries.OF_ACCOUNT,
            ("alpha",),
            "SEARCH token USING COVERING INDEX token_account (account=?)",
        ),
        (token_queries.BY_ID, ("[]",), "SEARCH token USING PRIMARY KEY (id=?)"),
    ],
)
def test_a_statement_seeks(statement: str, bindings: tuple[str, ...], plan: str) -> None:
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    found = connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings)
    assert plan in [row[3] for row in found]
