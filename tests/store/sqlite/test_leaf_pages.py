"""Rows read from pages alone: those of a sound file are all found, and noise raises nothing."""

import os
import random
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.store.sqlite.engine import PAGE_SIZE
from restante.store.sqlite.leaf_pages import LeafPages, is_message
from restante.store.stored_form.row_type import Row
from tests.store.sqlite.tables import Tables

VALUES = [
    None,
    0,
    1,
    -1,
    127,
    -129,
    1 << 15,
    -(1 << 23),
    1 << 31,
    1 << 47,
    -(1 << 63),
    (1 << 63) - 1,
    2.5,
    "",
    "jürgen@alpha.example",
    b"",
    b"\0\xff",
    "long " * 50,
    b"x" * 20_000,  # on overflow pages
    b"y" * 100_000,
]


def written(path: Path, rows: list[Row], page_size: int = 4096) -> None:
    """Make a database of one table with these rows."""
    with closing(apsw.Connection(str(path))) as connection:
        connection.pragma("page_size", page_size)
        connection.execute("CREATE TABLE thing (number INTEGER PRIMARY KEY, value)")
        connection.executemany("INSERT INTO thing VALUES (?, ?)", rows)


def found(path: Path, page_size: int = 4096) -> dict[int, object]:
    """The rows with two columns that are on the pages."""
    with closing(LeafPages(path, page_size)) as pages:
        return {number: row[1] for number, row in pages.rows() if len(row) == 2}


@pytest.mark.parametrize("page_size", [512, 4096, PAGE_SIZE])
def test_values_of_every_kind_are_read_as_they_were_written(tmp_path: Path, page_size: int) -> None:
    rows = [(number, value) for number, value in enumerate(VALUES, start=1)]
    written(tmp_path / "db", rows, page_size)
    assert found(tmp_path / "db", page_size) == dict(rows)


def test_a_page_that_the_log_has_is_taken_from_there(tmp_path: Path) -> None:
    path = tmp_path / "db"
    written(path, [(1, "before")])
    with closing(apsw.Connection(str(path))) as connection:
        connection.pragma("journal_mode", "wal")
        connection.wal_autocheckpoint(0)
        connection.execute("UPDATE thing SET value = 'after'")
        connection.execute("INSERT INTO thing VALUES (2, 'new')")
        assert found(path) == {1: "after", 2: "new"}


@given(seed=st.integers(0, 1 << 32), where=st.integers(0, 3 * 4096), length=st.integers(1, 4096))
def test_noise_hides_rows_and_raises_nothing(seed: int, where: int, length: int) -> None:
    octets = bytearray(SOUND)
    octets[where : where + length] = random.Random(seed).randbytes(len(octets[where:][:length]))
    path = Path(f"/dev/shm/leaf-pages-{os.getpid()}")
    try:
        path.write_bytes(octets)
        rows = found(path)
    finally:
        path.unlink()
    assert all(isinstance(number, int) for number in rows)


def _sound() -> bytes:
    path = Path(f"/dev/shm/leaf-pages-{os.getpid()}-sound")
    written(path, [(number, f"row {number} " * 20) for number in range(40)])
    octets = path.read_bytes()
    path.unlink()
    return octets


SOUND = _sound()


def test_a_row_is_a_message_only_with_the_content_that_was_written() -> None:
    tables = Tables()
    tables.host()
    tables.hold(7, 1)
    [row] = tables.rows("SELECT * FROM message")
    assert is_message(row)
    assert is_message(row[:11])
    for wrong in (
        row[:10],
        (*row, None, None),
        (*row[:10], b"other content", *row[11:]),
        (*row[:9], 0, *row[10:]),
        (*row[:10], "text", *row[11:]),
        (*row[:5], None, *row[6:]),
    ):
        assert not is_message(wrong)


def test_overflow_pages_that_lead_back_to_themselves_end(tmp_path: Path) -> None:
    """With a size that no file has, they would fill all memory."""
    path = tmp_path / "db"
    written(path, [(1, b"x" * 20_000)], 512)
    octets = bytearray(path.read_bytes())
    for page in range(1, len(octets) // 512 + 1):
        octets[(page - 1) * 512 : (page - 1) * 512 + 4] = page.to_bytes(4)
    path.write_bytes(octets)
    leaf = bytearray(512)
    leaf[:5] = b"\x0d\0\0\0\x01"
    leaf[8:10] = (100).to_bytes(2)
    leaf[100:109] = b"\x88" + b"\x80" * 6 + b"\x00" + b"\x01"  # 2^52 octets, and the rowid
    leaf[148:152] = (2).to_bytes(4)  # the first overflow page, behind the local octets
    with closing(LeafPages(path, 512)) as pages:
        assert list(pages._rows_of(bytes(leaf), 0)) == []
