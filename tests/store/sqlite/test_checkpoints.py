"""The log: its copying back, the time of that, and the limit of its growth."""

from pathlib import Path

import apsw
import pytest

from restante.store.sqlite import SqliteStore, engine, writer
from tests.contract.making import all_held, hold, hosted
from tests.store.watched_disk import WatchedDisk


def log_size(directory: Path) -> int:
    return (directory / "restante.db-wal").stat().st_size


async def test_a_reader_can_neither_write_nor_checkpoint(
    store: SqliteStore, directory: Path, disk: WatchedDisk
) -> None:
    await hosted(store)
    reader = engine.open_reader(directory / "restante.db", disk.name)
    with pytest.raises(apsw.ReadOnlyError):
        reader.execute("DELETE FROM domain")
    with pytest.raises(apsw.Error):
        reader.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_FULL)
    disk.syncs.clear()
    reader.close()
    assert disk.syncs == []


async def test_reading_never_syncs(store: SqliteStore, disk: WatchedDisk) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    disk.syncs.clear()
    await all_held(store, domain_id)
    await store.records.directory()
    assert disk.syncs == []


async def test_commits_do_not_checkpoint_before_it_is_due(
    store: SqliteStore, disk: WatchedDisk
) -> None:
    domain_id = await hosted(store)
    disk.syncs.clear()
    for number in range(1, 21):
        await hold(store, domain_id, number)
    assert disk.syncs == ["wal"] * 20


async def test_a_log_copied_back_is_used_again(
    store: SqliteStore, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = await hosted(store)
    monkeypatch.setattr(writer, "CHECKPOINT_OCTETS", 10 * engine.PAGE_SIZE)
    before = log_size(directory)
    for number in range(1, 101):
        await hold(store, domain_id, number)
    assert (
        log_size(directory) < before + 30 * engine.PAGE_SIZE
    )  # not 100 times the three pages of a commit


async def test_a_log_that_readers_kept_from_being_used_again_is_begun_anew_when_they_are_gone(
    store: SqliteStore, directory: Path, disk: WatchedDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = await hosted(store)
    monkeypatch.setattr(writer, "CHECKPOINT_OCTETS", 5 * engine.PAGE_SIZE)
    monkeypatch.setattr(writer, "_LONG_LOG", 20 * engine.PAGE_SIZE)
    monkeypatch.setattr(engine, "_BUSY_IMPATIENCE_MS", 1)
    reader = engine.open_reader(directory / "restante.db", disk.name)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM message").fetchall()
    for number in range(1, 41):
        await hold(store, domain_id, number)
    grown = log_size(directory)
    assert grown > 100 * engine.PAGE_SIZE
    reader.close()
    for number in range(41, 81):
        await hold(store, domain_id, number)
    assert log_size(directory) < grown + 30 * engine.PAGE_SIZE
    assert len(await all_held(store, domain_id)) == 80
