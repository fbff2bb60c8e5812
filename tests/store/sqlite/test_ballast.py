"""Reserved space: released when the disk is full so that mail can leave; none comes meanwhile."""

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace

import apsw
import pytest

from restante.store.figure_store import NO_USAGE
from restante.store.sqlite import SqliteStore, ballast, open_sqlite
from restante.store.store_errors import StoreFull
from tests.contract.making import NOTED, delivered, hold, hosted, message, opened, spooled
from tests.store.watched_disk import WatchedDisk

OCTETS = 65536


class Room:
    """The free octets that the system reports."""

    def __init__(self) -> None:
        self.free = 10 * OCTETS

    def statvfs(self, _path: object) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=self.free, f_frsize=1)


@pytest.fixture
def room(runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch) -> Room:
    room = Room()
    monkeypatch.setattr(os, "statvfs", room.statvfs)
    return room


class FullOnce:
    """A disk that is full until the ballast is removed."""

    def __init__(self, disk: WatchedDisk, file: Path) -> None:
        self._file = file
        disk.meet = self.meet  # type: ignore[method-assign]

    def meet(self, verb: str, kind: str) -> None:
        if (verb, kind) == ("write", "wal") and self._file.exists():
            raise apsw.FullError("database or disk is full")


async def open_with_ballast(directory: Path, disk: WatchedDisk) -> SqliteStore:
    return await open_sqlite(directory, vfs=disk.name, ballast=OCTETS)


async def test_removals_go_on_and_additions_wait_for_room(
    directory: Path, disk: WatchedDisk, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_with_ballast(directory, disk)
    file = directory / "ballast"
    assert file.stat().st_size == OCTETS
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2, 3)
    drain = await opened(store, domain_id, 0.0, 60.0)

    FullOnce(disk, file)
    room.free = 0
    monkeypatch.setattr(ballast, "PAUSE", 0.0)
    with pytest.raises(StoreFull):
        await hold(store, domain_id, 4)
    assert not file.exists()
    await store.handover.settle(drain, [delivered(1)])
    assert await store.queue.delete([2], NOTED) == 1
    with pytest.raises(StoreFull):
        await spooled(store, b"large")
    assert store.figures.usage(domain_id).messages == 1

    disk.meet = lambda *_: None  # type: ignore[method-assign]
    room.free = 10 * OCTETS
    await store.reception.hold([message(5, domain_id, file=await spooled(store, b"large"))])
    assert file.exists()
    assert store.figures.usage(domain_id).messages == 2
    await store.close()


async def test_a_settlement_that_finds_the_disk_full_succeeds(
    directory: Path, disk: WatchedDisk, room: Room
) -> None:
    store = await open_with_ballast(directory, disk)
    domain_id = await hosted(store)
    await hold(store, domain_id, 1)
    drain = await opened(store, domain_id, 0.0, 60.0)
    FullOnce(disk, directory / "ballast")
    room.free = 0
    await store.handover.settle(drain, [delivered(1)])
    assert store.figures.usage(domain_id) == NO_USAGE
    await store.close()


async def test_a_store_opened_on_a_full_disk_gives_its_ballast_up(
    directory: Path, disk: WatchedDisk, room: Room
) -> None:
    await (await open_with_ballast(directory, disk)).close()
    room.free = 0
    store = await open_with_ballast(directory, disk)
    assert not (directory / "ballast").exists()
    domain_id = await hosted(store)
    with pytest.raises(StoreFull):
        await hold(store, domain_id, 1)
    with pytest.raises(StoreFull):
        await store.reception.open_spool().close(b"all of a file comes with its end")
    await store.close()


async def test_without_a_server_there_is_none(store: SqliteStore, directory: Path) -> None:
    assert not (directory / "ballast").exists()


async def test_a_disk_that_is_full_whatever_is_free_is_not_argued_with(
    directory: Path, disk: WatchedDisk, room: Room
) -> None:
    """If the limit does not show in the free space, the ballast must not be remade endlessly."""
    store = await open_with_ballast(directory, disk)
    domain_id = await hosted(store)
    disk.fails_to("write", "wal", apsw.FullError("database or disk is full"))
    for number in (1, 2):
        with pytest.raises(StoreFull):
            await hold(store, domain_id, number)
    disk.is_sound()
    await store.close()
