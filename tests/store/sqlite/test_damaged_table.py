"""A table is read past its damage: every readable row once, and the gaps left are named."""

from collections.abc import Iterable

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.store.sqlite import damaged_table, engine
from restante.store.sqlite.damaged_table import TolerantReader, UnreadableGap, table_of
from restante.store.stored_form.row_type import Row
from tests.store.sqlite.tables import Tables


def numbered(numbers: Iterable[int]) -> apsw.Connection:
    """A database with one table of numbered rows."""
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE thing (number INTEGER PRIMARY KEY, text)")
    connection.executemany("INSERT INTO thing VALUES (?, ?)", [(n, f"row {n}") for n in numbers])
    return connection


def read(
    connection: apsw.Connection, broken: set[int], monkeypatch: pytest.MonkeyPatch
) -> tuple[list[int], list[UnreadableGap]]:
    """Read the table, while every question that comes by a broken row ends there with an error."""
    real = engine.fetch

    def fetch(connection: apsw.Connection, query: str, bindings: Row = ()) -> list[Row]:
        rows: list[Row] = real(connection, query, bindings)
        if any(row[0] in broken for row in rows):
            raise apsw.CorruptError("malformed")
        return rows

    monkeypatch.setattr(engine, "fetch", fetch)
    found: list[int] = []
    reader = TolerantReader(
        connection, table_of(connection, "thing"), lambda row: found.append(row[0])
    )
    reader.read()
    return found, reader.gaps


LAST = 500  # readable: otherwise the search between two damaged places has no end to begin from


@given(
    present=st.sets(st.integers(1, 400), max_size=200),
    broken=st.sets(st.integers(1, 400), max_size=12),
)
def test_every_row_that_can_be_read_is_read_once_and_the_rest_is_in_a_gap(
    present: set[int], broken: set[int]
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        found, gaps = read(numbered(present | {LAST}), broken, monkeypatch)
    assert sorted(found) == sorted(present - broken | {LAST})

    def is_in(number: int, gap: UnreadableGap) -> bool:
        after, before = gap.after or (0,), gap.before or (1000,)
        return int(str(after[0])) < number < int(str(before[0]))

    for number in present & broken:
        assert any(is_in(number, gap) for gap in gaps)
    for number in found:
        assert not any(is_in(number, gap) for gap in gaps)


def test_a_row_that_stands_alone_is_given_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes that are used up there would be missing in the other gaps."""
    monkeypatch.setattr(damaged_table, "_PROBES", 40)
    found, gaps = read(numbered([1, 2, 3, 7, LAST]), {1, 3, 7}, monkeypatch)
    assert sorted(found) == [2, LAST]
    assert len(gaps) == 3


def test_a_sound_table_has_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    found, gaps = read(numbered(range(1, 300)), set(), monkeypatch)
    assert (found, gaps) == (list(range(1, 300)), [])


@pytest.mark.parametrize(
    ("gap", "text"),
    [
        (UnreadableGap(None, None), "from the beginning, to the end"),
        (UnreadableGap((3,), None), "after 3, to the end"),
        (UnreadableGap(None, ("a", 7)), "from the beginning, before a, 7"),
    ],
)
def test_a_gap_in_words(gap: UnreadableGap, text: str) -> None:
    assert gap.text == text


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("message", ("rowid",)),
        ("account", ("name",)),
        ("last_reply", ("domain_id", "number", "forward_path")),
    ],
)
def test_a_table_is_known_by_its_key(name: str, keys: tuple[str, ...]) -> None:
    table = table_of(Tables().connection, name)
    assert (table.name, table.keys) == (name, keys)
    assert len(table.columns) > len(keys)
