"""The page size of a database is found by its header, by its log's, or by its pages."""

import random
import shutil
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from restante.store.sqlite import engine, migrations
from restante.store.sqlite.engine import PAGE_SIZE
from restante.store.sqlite.stored_page_size import LARGE, SMALL, stored_page_size

MAIL = b"Subject: hello\r\n\r\n" + random.Random(1).randbytes(300_000)


@pytest.fixture(params=[SMALL, LARGE])
def page_size(request: pytest.FixtureRequest) -> int:
    """Each that a store can have."""
    return int(request.param)


@pytest.fixture
def database(tmp_path: Path, page_size: int) -> Path:
    """A database without a log, whose pages are mostly content."""
    path = tmp_path / "restante.db"
    with closing(engine.open_write_connection(path, page_size=page_size)) as connection:
        migrations.migrate(connection)
        connection.execute("CREATE TABLE kept (head BLOB)")
        for octets in range(100, len(MAIL), 7000):
            connection.execute("INSERT INTO kept VALUES (?)", (MAIL[:octets],))
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    return path


def overwrite(path: Path, octets: bytes, at: int = 0) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(octets)


def test_new_databases_have_pages_of_a_known_size() -> None:
    assert PAGE_SIZE in {SMALL, LARGE}


def test_the_header_says_it(database: Path, page_size: int) -> None:
    overwrite(database, b"\xa5" * 1_000_000, at=100)
    assert stored_page_size(database) == page_size


def test_the_header_of_the_log_says_it_where_the_database_is_lost(
    database: Path, tmp_path: Path, page_size: int
) -> None:
    crashed = tmp_path / "crashed.db"
    with closing(engine.open_write_connection(database)) as connection:
        connection.execute("INSERT INTO kept VALUES (x'00')")
        shutil.copyfile(database, crashed)
        shutil.copyfile(f"{database}-wal", f"{crashed}-wal")
    overwrite(crashed, b"\xa5" * 1_000_000)
    assert stored_page_size(crashed) == page_size


@pytest.mark.parametrize("lost", [16, 100, LARGE, 10 * LARGE])
def test_the_pages_tell_it_where_both_are_lost(database: Path, page_size: int, lost: int) -> None:
    overwrite(database, b"\xa5" * lost)
    Path(f"{database}-wal").write_bytes(b"\xa5" * 100)
    assert stored_page_size(database) == page_size


@pytest.mark.parametrize("octets", [b"", b"x", b"\xa5" * 100_000])
def test_a_file_of_anything_else_has_some_size(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "restante.db").write_bytes(octets)
    assert stored_page_size(tmp_path / "restante.db") in {SMALL, LARGE}
