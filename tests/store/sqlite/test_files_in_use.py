"""Nothing is acknowledged into removed files, and a cut file is noticed before it is read."""

import os
from pathlib import Path

import pytest

from restante.store.sqlite import SqliteStore, open_sqlite
from restante.store.sqlite.engine import PAGE_SIZE
from restante.store.sqlite.files_in_use import FilesInUse
from restante.store.sqlite.log_mark import LogMark
from restante.store.sqlite.stored_page_size import LARGE
from restante.store.store_errors import StoreDamaged, StoreError
from tests.contract.making import hold, hosted, message
from tests.store.sqlite.tables import empty_database

pytestmark = pytest.mark.usefixtures("runner")

NAMES = ["restante.db", "restante.db-wal", "content"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_replaced", [False, True])
async def test_mail_is_not_acknowledged_into_files_that_are_gone(
    store: SqliteStore, directory: Path, name: str, *, is_replaced: bool
) -> None:
    """Not even in the second before the next look at the disk."""
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    (directory / name).rename(directory / "elsewhere")
    if is_replaced:
        (directory / name).mkdir() if name == "content" else (directory / name).touch()
    with pytest.raises(StoreError, match=f"^{name} was removed or replaced while in use"):
        await store.reception.hold([message(2, domain_id)])
    assert not store.upkeep.failure
    if is_replaced:
        (directory / name).rmdir() if name == "content" else (directory / name).unlink()
    (directory / "elsewhere").rename(directory / name)
    await store.reception.hold([message(3, domain_id)])


@pytest.mark.parametrize("left", [0, 100, 40_000])
async def test_a_log_that_is_cut_is_damage_before_anything_is_written_behind_the_cut(
    store: SqliteStore, directory: Path, left: int
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, *range(1, 60))
    os.truncate(directory / "restante.db-wal", left)
    with pytest.raises(StoreError, match=r"restante\.db-wal was truncated while in use"):
        await store.reception.hold([message(60, domain_id)])
    assert "must be reopened" in store.upkeep.failure
    assert (directory / "damaged").exists()
    await store.close()
    for _ in range(2):
        with pytest.raises(StoreDamaged, match=r"log restante\.db-wal (was truncated|is missing)"):
            await open_sqlite(directory)


@pytest.mark.parametrize("name", NAMES[:2])
async def test_a_cut_file_is_noticed_though_no_mail_comes(
    store: SqliteStore, directory: Path, name: str
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    store.upkeep.free_octets()
    assert not store.upkeep.failure
    os.truncate(directory / name, 0)
    store.upkeep.free_octets()
    assert f"{name} was truncated while in use" in store.upkeep.failure


@pytest.mark.parametrize("page_size", [PAGE_SIZE, LARGE])
async def test_a_log_of_any_page_size_may_not_lose_an_octet(
    directory: Path, page_size: int
) -> None:
    empty_database(directory / "restante.db", page_size)
    store = await open_sqlite(directory)
    await hold(store, await hosted(store), 1)
    store.upkeep.free_octets()
    assert not store.upkeep.failure
    log = directory / "restante.db-wal"
    os.truncate(log, log.stat().st_size - 1)
    store.upkeep.free_octets()
    assert "restante.db-wal was truncated while in use" in store.upkeep.failure
    await store.close()


async def test_a_log_that_begins_again_after_a_checkpoint_is_whole(
    store: SqliteStore, directory: Path
) -> None:
    domain_id = await hosted(store)
    for first in range(1, 3000, 500):  # more than a checkpoint apart
        head = b"x" * 15_000
        await store.reception.hold(
            [message(number, domain_id, head=head) for number in range(first, first + 500)]
        )
        store.upkeep.free_octets()
        assert not store.upkeep.failure


async def test_a_log_that_begins_again_during_a_look_is_whole(
    store: SqliteStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first number of its index is of the log before, which was longer."""
    await hold(store, await hosted(store), 1)
    size = (directory / "restante.db-wal").stat().st_size
    found = iter([size + 1, size])
    monkeypatch.setattr(FilesInUse, "_log_size", lambda _files: next(found))
    assert store.core.in_use.cut == ""
    monkeypatch.setattr(FilesInUse, "_log_size", lambda _files: size + 1)
    assert "truncated" in store.core.in_use.cut


async def test_a_store_without_an_index_of_the_log_needs_no_length(directory: Path) -> None:
    store = await open_sqlite(directory)
    await store.close()
    for end in ("wal", "shm"):
        (directory / f"restante.db-{end}").unlink(missing_ok=True)
    database = directory / "restante.db"
    files = FilesInUse(database, directory / "content", LogMark(database))
    assert (files.cut, files.gone) == ("", "")
    files.close()
