"""The plans of the queries of the audit trail, and that none of them changes an entry."""

import re
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from restante.store.sqlite import audit_queries, engine, migrations
from restante.tenancy.audit import EVERY_ENTRY
from tests.store.sqlite.tables import plan


@pytest.fixture(scope="module")
def connection() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    engine.add_functions(connection)
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("by_account", "by_domain", "way"),
    [
        (False, False, "SEARCH audit USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (True, False, "SEARCH audit USING INDEX audit_account (account=? AND id>? AND id<?)"),
        (False, True, "SEARCH audit USING INDEX audit_domain (domain=? AND id>? AND id<?)"),
        (True, True, "SEARCH audit USING INDEX audit_domain (domain=? AND id>? AND id<?)"),
    ],
)
def test_the_newest_entries_come_from_the_end(
    connection: apsw.Connection, by_account: bool, by_domain: bool, way: str
) -> None:
    values = {
        **EVERY_ENTRY._asdict(),
        "account": "alpha",
        "domain": "alpha.example",
        "actors": None,
        "beginning": "",
        "limit": 10,
        "first": 1,
        "last": 9,
    }
    steps = plan(
        connection, audit_queries.newest_entries(by_account=by_account, by_domain=by_domain), values
    )
    assert steps[0] == way
    assert not [step for step in steps if "audit" in step and step != way]
    assert not [step for step in steps if "TEMP B-TREE" in step]


def test_nothing_changes_or_removes_an_audit_entry() -> None:
    modules = Path(engine.__file__).parent.glob("*.py")
    texts = " ".join(
        " ".join(path.read_text().split()) for path in modules if "_schema" not in path.name
    )
    touching = re.findall(r"\b(INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO) audit\b", texts)
    assert touching == ["INSERT INTO"]


def test_requests_are_read_from_where_they_were_read_last(connection: apsw.Connection) -> None:
    assert plan(connection, audit_queries.GRANTED_REQUESTS, (5, 9))[0] == (
        "SEARCH audit USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"
    )
    assert plan(connection, audit_queries.NEWEST_ENTRY, ()) == ["SEARCH audit"]
