"""A damaged database is opened as it is, or as a copy with a readable beginning."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from restante.store.sqlite import engine, migrations
from restante.store.sqlite.engine import PAGE_SIZE
from restante.store.sqlite.salvage_source import opened
from restante.store.store_errors import StoreUnusable


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database of the present schema with one account."""
    path = tmp_path / "restante.db"
    with closing(engine.open_write_connection(path)) as connection:
        migrations.migrate(connection)
        connection.execute(
            "INSERT INTO account (name, created_at, empty_reply, note) "
            "VALUES ('alpha', 1.0, 251, '')"
        )
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    return path


def overwrite(path: Path, octets: int) -> None:
    """Put noise over the beginning of a file."""
    with path.open("r+b") as file:
        file.write(b"\xa5" * octets)


@pytest.mark.parametrize(
    ("octets", "change"),
    [
        (0, ""),
        (16, "its header was replaced"),
        (100, "its header was replaced"),
        (101, "its first page was replaced"),
        (PAGE_SIZE, "its first page was replaced"),
    ],
)
def test_the_records_are_readable_and_the_damaged_file_stays_as_it_is(
    database: Path, tmp_path: Path, octets: int, change: str
) -> None:
    overwrite(database, octets)
    before = database.read_bytes()
    work = tmp_path / "work"
    work.mkdir()
    with opened(database, work) as (connection, version, done):
        assert list(connection.execute("SELECT name FROM account")) == [("alpha",)]
        assert version == len(migrations.MIGRATIONS)
        assert done == change
    assert database.read_bytes() == before


# Some steps change no table: after them the schema looks as before.
LOOKS_LIKE = {9: 10, 11: 12, 34: 35, 40: 41, 42: 43}


@pytest.mark.parametrize("version", range(1, len(migrations.MIGRATIONS) + 1))
def test_under_a_lost_header_the_schema_is_known_by_its_tables_and_columns(
    tmp_path: Path, version: int
) -> None:
    path = tmp_path / "restante.db"
    with closing(engine.open_write_connection(path)) as connection:
        migrations.migrate(connection, migrations.MIGRATIONS[:version])
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    overwrite(path, 100)
    work = tmp_path / "work"
    work.mkdir()
    with opened(path, work) as (_, found, _):
        assert found == LOOKS_LIKE.get(version, version)


def test_of_an_empty_file_nothing_can_be_read_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "restante.db"
    path.touch()
    work = tmp_path / "work"
    work.mkdir()
    with (
        pytest.raises(StoreUnusable, match="no part of it can be read; restore a backup"),
        opened(path, work),
    ):
        pass
