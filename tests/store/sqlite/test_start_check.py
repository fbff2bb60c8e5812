"""The proof at start: all of a small database, the inner pages of a large one, all after damage."""

from pathlib import Path

import apsw
import pytest

from restante.store.sqlite import start_check
from restante.store.store_errors import StoreDamaged
from tests.store.sqlite.tables import Tables

PLENTY, NONE = 60.0, -1.0  # seconds


@pytest.fixture
def tables() -> Tables:
    """Some mail of one domain."""
    tables = Tables()
    tables.host()
    for number in range(1, 40):
        tables.hold(number, 1)
    return tables


def lose_an_entry(tables: Tables) -> None:
    """Take a message out of the index of held mail, as damage would."""
    connection = tables.connection
    connection.pragma("writable_schema", 1)
    hidden = "UPDATE sqlite_schema SET sql = replace(sql, '''''', '''x''') WHERE name = ?"
    [(sql,)] = tables.rows("SELECT sql FROM sqlite_schema WHERE name = 'message_held'")
    connection.execute(hidden, ("message_held",))
    connection.pragma("writable_schema", "reset")
    connection.execute("UPDATE message SET held_paths = 'x' WHERE number = 7")
    connection.pragma("writable_schema", 1)
    connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'message_held'", (sql,))
    connection.pragma("writable_schema", "reset")


@pytest.mark.parametrize(
    ("seconds", "is_suspect", "is_proven"),
    [(PLENTY, False, True), (NONE, False, False), (NONE, True, True)],
)
def test_a_sound_database_is_proven_as_far_as_there_is_time(
    tables: Tables, seconds: float, is_suspect: bool, is_proven: bool
) -> None:
    assert start_check.prove(tables.connection, seconds, is_suspect=is_suspect) is is_proven


@pytest.mark.parametrize(("seconds", "is_suspect"), [(PLENTY, False), (NONE, True)])
def test_an_index_that_lacks_an_entry_is_found(
    tables: Tables, seconds: float, is_suspect: bool
) -> None:
    lose_an_entry(tables)
    with pytest.raises(StoreDamaged, match="message_held"):
        start_check.prove(tables.connection, seconds, is_suspect=is_suspect)


def test_findings_of_the_engine_are_single_lines_without_its_title(tmp_path: Path) -> None:
    """An empty index that was overwritten gives a title and a line."""
    file = tmp_path / "x.db"
    connection = apsw.Connection(str(file))
    connection.execute("CREATE TABLE t (a); CREATE INDEX i ON t (a) WHERE a = 'z'")
    connection.execute("INSERT INTO t VALUES ('x'), ('y')")
    [(page, size)] = connection.execute(
        "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = 'i'"
    )
    connection.close()
    with file.open("r+b") as octets:
        octets.seek((page - 1) * size)
        octets.write(b"\x55" * size)
    found = list(start_check.findings(apsw.Connection(str(file)), "t"))
    assert found
    assert not any("\n" in line or line.startswith("***") for line in found)


def test_a_database_without_tables_is_sound() -> None:
    for seconds in (PLENTY, NONE):
        start_check.prove(apsw.Connection(":memory:"), seconds, is_suspect=False)


@pytest.mark.parametrize(
    ("column", "text"),
    [("authorized_hosts", "{"), ("authorized_hosts", '["..."]'), ("destination", "{}")],
)
def test_a_record_that_cannot_be_read_is_damage(tables: Tables, column: str, text: str) -> None:
    start_check.prove_records(tables.connection)
    tables.connection.execute(f"UPDATE domain SET {column} = ?", (text,))
    with pytest.raises(StoreDamaged, match="a record cannot be read"):
        start_check.prove_records(tables.connection)


def test_the_tables_of_mail_come_last(tables: Tables) -> None:
    names = start_check.tables(tables.connection)
    assert names[-1] == "message"
    assert len(names) == len(set(names)) > 10


def test_work_that_takes_too_long_is_broken_off_and_the_next_is_not(tables: Tables) -> None:
    def count(connection: apsw.Connection) -> None:
        endless = "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n)"
        connection.execute(f"{endless} SELECT count(*) FROM n").fetchall()

    assert not start_check.is_done_within(tables.connection, 0.01, count)
    assert tables.rows("SELECT 1") == [(1,)]
