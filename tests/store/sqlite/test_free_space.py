"""Free pages of the database are returned in short steps, and a few stay for the next mail."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from restante.store.sqlite import engine, free_space, open_sqlite, writer
from restante.store.sqlite.free_space import KEPT_OCTETS, FreeSpace, has_too_many
from restante.store.sqlite.stored_page_size import LARGE
from tests.contract.making import delivered, hold, hosted, message, opened
from tests.store.sqlite.tables import empty_database

KEPT = 10  # pages, in these tests
SIZES = pytest.mark.parametrize("page_size", [engine.PAGE_SIZE, LARGE])


@pytest.mark.parametrize(
    ("free", "octets", "is_too_much"),
    [
        (0, 10, False),
        (KEPT_OCTETS, KEPT_OCTETS, False),  # a small file stays
        (KEPT_OCTETS + 1, KEPT_OCTETS + 1, True),
        (2 * KEPT_OCTETS, 8 * KEPT_OCTETS, False),  # a quarter
        (2 * KEPT_OCTETS + 1, 8 * KEPT_OCTETS, True),
    ],
)
def test_many_free_pages_are_worth_the_work(free: int, octets: int, *, is_too_much: bool) -> None:
    assert has_too_many(free, octets) is is_too_much


@pytest.fixture
def connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page_size: int
) -> Iterator[apsw.Connection]:
    """A database with a table of 200 pages, each with a row."""
    monkeypatch.setattr(free_space, "KEPT_OCTETS", KEPT * page_size)
    monkeypatch.setattr(free_space, "STEP_OCTETS", 50 * page_size)
    with closing(engine.open_write_connection(tmp_path / "test.db", page_size=page_size)) as made:
        with made:
            made.execute("CREATE TABLE kept (number INTEGER PRIMARY KEY, text BLOB)")
            for _ in range(200):
                made.execute("INSERT INTO kept (text) VALUES (zeroblob(?))", (page_size - 500,))
        yield made


@SIZES
def test_pages_are_returned_by_steps_and_what_is_kept_stays_whole(
    connection: apsw.Connection, page_size: int
) -> None:
    space = FreeSpace(connection)
    before = space.octets
    connection.execute("DELETE FROM kept WHERE number <= 150")  # the rest is at the end of the file
    space.look()
    lengths = []
    while space.is_returning:
        space.return_step()
        lengths.append((before - space.octets) // page_size)
    assert lengths == [50, 100, 140]
    assert connection.pragma("freelist_count") == KEPT
    assert connection.pragma("integrity_check") == "ok"
    assert engine.fetch(connection, "SELECT count(*), sum(length(text)) FROM kept") == [
        (50, 50 * (page_size - 500))
    ]


def test_a_database_that_has_its_pages_fixed_keeps_its_length(tmp_path: Path) -> None:
    old = tmp_path / "old.db"
    with closing(apsw.Connection(str(old))) as made:
        made.pragma("page_size", engine.PAGE_SIZE)
        made.execute("CREATE TABLE kept (text BLOB); INSERT INTO kept VALUES (zeroblob(9000000))")
    with closing(engine.open_write_connection(old)) as connection:
        connection.execute("DELETE FROM kept")
        assert connection.pragma("freelist_count") > KEPT
        space = FreeSpace(connection)
        space.look()
        assert not space.is_returning


@SIZES
@pytest.mark.usefixtures("runner")
async def test_the_file_of_a_store_is_shorter_after_a_drain_and_the_store_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page_size: int
) -> None:
    monkeypatch.setattr(free_space, "KEPT_OCTETS", KEPT * page_size)
    monkeypatch.setattr(writer, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(writer, "CHECKPOINT_OCTETS", 1)

    empty_database(tmp_path / "store/restante.db", page_size)
    store = await open_sqlite(tmp_path / "store")
    domain_id = await hosted(store)
    numbers = range(1, 201)
    await store.reception.hold([message(n, domain_id, head=b"x" * 15_000) for n in numbers])
    await hold(store, domain_id, 300)
    full = (tmp_path / "store/restante.db").stat().st_size
    drain = await opened(store, domain_id)
    await store.handover.settle(drain, [delivered(n) for n in numbers])
    while (tmp_path / "store/restante.db").stat().st_size > full / 2:
        await asyncio.sleep(0)
        assert not store.upkeep.failure
    await hold(store, domain_id, 301)
    store.upkeep.free_octets()  # looks for files that were cut
    assert not store.upkeep.failure
    await store.close()
