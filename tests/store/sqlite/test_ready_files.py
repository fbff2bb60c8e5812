"""Files made ahead: one sync of a directory for many messages, and nothing left behind."""

import asyncio
import errno
import os
from pathlib import Path

import pytest

from restante.store.reception_store import ContentSpool
from restante.store.sqlite import SqliteStore
from restante.store.sqlite.ready_files import MOST, ReadyFiles
from restante.store.store_errors import StoreError


class Maker:
    """Makes numbers for files, up to `most` at once."""

    def __init__(self, most: int = 1000) -> None:
        self.asked: list[int] = []
        self.under_way = 0
        self._most = most
        self._next = iter(range(1000))

    def make(self, count: int) -> list[int]:
        self.asked.append(count)
        return [next(self._next) for _ in range(min(count, self._most))]

    def ready(self) -> ReadyFiles[int]:
        return ReadyFiles(self.make, lambda: self.under_way)


@pytest.mark.parametrize(
    ("under_way", "asked"),
    [(0, [1, 1, 1, 1]), (1, [1, 1, 1, 1]), (3, [3, 3]), (4, [4]), (1000, [MOST])],
)
def test_as_many_are_made_as_messages_are_under_way(under_way: int, asked: list[int]) -> None:
    maker = Maker()
    maker.under_way = under_way
    ready = maker.ready()
    taken = [ready.take() for _ in range(4)]
    assert len(set(taken)) == 4
    assert maker.asked == asked
    assert len(ready.take_all()) == sum(asked) - 4
    assert ready.take_all() == []


def test_fewer_files_than_asked_for_will_do() -> None:
    maker = Maker(most=1)
    maker.under_way = 5
    ready = maker.ready()
    assert [ready.take(), ready.take()] == [0, 1]
    assert maker.asked == [5, 5]


# --- in a store


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Each sync of content from now on: whether it was that of a directory."""
    seen: list[bool] = []
    sync = os.fsync

    def watched(number: int) -> None:
        seen.append(os.path.isdir(f"/proc/self/fd/{number}"))  # noqa: PTH112  no path of ours
        sync(number)

    monkeypatch.setattr(os, "fsync", watched)
    return seen


async def begun(store: SqliteStore, count: int) -> list[ContentSpool]:
    """Begin so many files, all before the first of them is written."""
    spools: list[ContentSpool] = [store.reception.open_spool() for _ in range(count)]
    await asyncio.gather(*(spool.write(b"content") for spool in spools))
    return spools


async def test_files_that_are_written_together_share_the_sync_of_a_directory(
    store: SqliteStore, directory: Path, syncs: list[bool]
) -> None:
    files = [await spool.close() for spool in await begun(store, 10)]
    assert (syncs.count(True), syncs.count(False)) == (1, 10)
    assert len({file.name for file in files}) == 10
    assert {(directory / "content" / file.name).read_bytes() for file in files} == {b"content"}


async def test_the_directory_is_synced_before_a_file_is_used(
    store: SqliteStore, syncs: list[bool]
) -> None:
    [spool] = await begun(store, 1)
    assert syncs == [True]
    await spool.close()
    assert syncs == [True, False]


async def test_files_that_nobody_took_are_removed_at_the_end(
    store: SqliteStore, directory: Path
) -> None:
    spools: list[ContentSpool] = [store.reception.open_spool() for _ in range(5)]
    await spools[0].write(b"content")
    assert len(list((directory / "content").glob("*/*"))) == 5
    for spool in spools:
        spool.discard()
    await store.close()
    assert list((directory / "content").glob("*/*")) == []


async def test_a_file_that_somebody_removed_takes_no_content(
    store: SqliteStore, directory: Path
) -> None:
    """It is empty for a while, and so may be taken for rubbish."""
    [spool] = await begun(store, 1)
    [path] = (directory / "content").glob("*/*")
    path.unlink()
    with pytest.raises(StoreError, match="removed"):
        await spool.close()
    assert not store.upkeep.failure


@pytest.mark.parametrize(("number", "is_final"), [(errno.EIO, True), (errno.ENOSPC, False)])
async def test_no_content_goes_where_no_name_could_be_made_durable(
    store: SqliteStore,
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    *,
    is_final: bool,
) -> None:
    def fail(_number: int) -> None:
        raise OSError(number, os.strerror(number))

    spools: list[ContentSpool] = [store.reception.open_spool() for _ in range(3)]
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        with pytest.raises(StoreError):
            await spools[0].write(b"content")
    assert bool(store.upkeep.failure) == is_final
    if not is_final:
        assert list((directory / "content").glob("*/*")) == []
        await spools[1].write(b"content")
        await spools[1].close()


async def test_want_of_descriptors_leaves_the_files_that_were_made(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    opened = os.open

    def few(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_CREAT:
            if len(made) == 2:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            made.append(path)
        return opened(path, flags, mode)

    spools: list[ContentSpool] = [store.reception.open_spool() for _ in range(3)]
    monkeypatch.setattr(os, "open", few)
    await spools[0].write(b"content")
    await spools[1].write(b"content")
    with pytest.raises(StoreError):
        await spools[2].write(b"content")
