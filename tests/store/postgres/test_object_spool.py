"""Large content as objects: acknowledged once the object store and the database have it."""

import asyncio
import errno
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import IO

import pytest

from restante.store.object_access import LARGE, ObjectAccess
from restante.store.postgres import PostgresStore, object_spool
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import (
    ContentUnreachable,
    Damaged,
    StoreError,
    StoreFull,
)
from tests.contract.making import (
    NOTED,
    all_held,
    content,
    delivered,
    held_numbers,
    hosted,
    message,
    opened,
    spooled,
)
from tests.store.postgres.fake_bucket import (
    SMALLEST,
    WITH_OBJECTS,
    FakeBucket,
    opened_at,
    use,
)
from tests.store.postgres.test_chunk_spool import CHUNKS, SPOOLS, counted, lapse, swept

BIG = os.urandom(LARGE + 5)
ROWS = "SELECT count(*) FROM content_object"
DOOMED = "SELECT count(*) FROM content_object WHERE doomed_at IS NOT NULL"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> FakeBucket:
    """An empty one, which stores use."""
    bucket = FakeBucket()
    use(bucket, monkeypatch)
    return bucket


@pytest.fixture
def damages() -> list[tuple[int, str, int]]:
    """The damage that was reported."""
    return []


@pytest.fixture
def store(
    postgres_url: str,
    bucket: FakeBucket,
    runner: asyncio.Runner,
    damages: list[tuple[int, str, int]],
) -> Iterator[PostgresStore]:
    """An empty store, whose process may judge others."""
    store = runner.run(opened_at(postgres_url, on_damage=lambda *told: damages.append(told)))
    for _ in range(2):
        runner.run(store.core.node.beat())
    yield store
    runner.run(store.close())


@pytest.fixture
def other(
    postgres_url: str, store: PostgresStore, runner: asyncio.Runner
) -> Iterator[PostgresStore]:
    """The same store, opened by another process."""
    other = runner.run(opened_at(postgres_url))
    yield other
    runner.run(other.close())


async def test_large_content_is_one_object_and_small_content_is_none(
    store: PostgresStore, bucket: FakeBucket
) -> None:
    large, small = await spooled(store, BIG[:999], BIG[999:]), await spooled(store, BIG[:999])
    assert list(map(bucket.objects.get, bucket.contents())) == [BIG]
    assert await counted(store, CHUNKS) == 1
    assert await content(store.content.read_file(large)) == BIG
    assert await content(store.content.read_file(small)) == BIG[:999]
    assert await store.content.read_beginning(large, 7) == BIG[:7]
    assert await store.content.read_beginning(large, 0) == b""


async def test_an_object_goes_after_its_message(store: PostgresStore, bucket: FakeBucket) -> None:
    domain_id = await hosted(store)
    for number in (1, 2):
        file = await spooled(store, BIG)
        await store.reception.hold([message(number, domain_id, file=file)])
    assert await store.upkeep.remove_left_content() == 0
    await store.handover.settle(await opened(store, domain_id), [delivered(1)])
    assert len(bucket.contents()) == 2, "mail leaves without waiting for its object"
    await store.queue.delete([2], NOTED)
    assert await counted(store, DOOMED) == 2
    assert await store.upkeep.remove_left_content() == 2
    assert (bucket.contents(), await counted(store, ROWS)) == (set(), 0)


async def test_a_removal_that_fails_is_made_later(store: PostgresStore, bucket: FakeBucket) -> None:
    spool = store.reception.open_spool()
    await spool.write(BIG)
    await spool.close()
    spool.discard()
    await asyncio.gather(*store.core._at_work)
    bucket.outage = "away"
    with pytest.raises(ContentUnreachable):
        await store.upkeep.remove_left_content()
    assert (len(bucket.contents()), await counted(store, DOOMED)) == (1, 1)
    bucket.outage = bucket.absence = ""
    assert await store.upkeep.remove_left_content() == 1
    assert (bucket.contents(), await counted(store, ROWS)) == (set(), 0)


async def test_large_content_is_not_taken_during_an_outage_and_small_is(
    store: PostgresStore, bucket: FakeBucket
) -> None:
    domain_id = await hosted(store)
    bucket.outage = "no answer in time"
    spool = store.reception.open_spool()
    await spool.write(BIG)
    with pytest.raises(ContentUnreachable, match="no answer in time"):
        await spool.close()
    spool.discard()
    assert store.upkeep.content_absence == "no answer in time"
    assert store.upkeep.absence == ""
    early = store.reception.open_spool()
    await early.write(BIG[: SMALLEST - 1])
    with pytest.raises(ContentUnreachable):
        await early.write(b"1")
    small = await spooled(store, b"small")
    await store.reception.hold([message(1, domain_id), message(2, domain_id, file=small)])
    assert await held_numbers(store, domain_id) == [1, 2]
    bucket.outage = bucket.absence = ""
    await asyncio.gather(*store.core._at_work)
    assert await store.upkeep.remove_left_content() == 1, "of the upload that failed"
    assert await counted(store, ROWS) == 0


async def test_a_duplicate_is_an_object_of_its_own(
    store: PostgresStore, bucket: FakeBucket
) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, BIG)
    copy = await store.reception.duplicate(file)
    assert len(bucket.contents()) == 2
    await store.reception.hold([message(1, domain_id, file=file), message(2, domain_id, file=copy)])
    await store.handover.settle(await opened(store, domain_id), [delivered(1)])
    assert await store.upkeep.remove_left_content() == 1
    assert await content(store.content.read_file(copy)) == BIG


@pytest.mark.parametrize("fault", ["outage", "known", "missing", "no objects"])
async def test_a_copy_that_fails_leaves_nothing(
    store: PostgresStore, bucket: FakeBucket, fault: str
) -> None:
    file = await spooled(store, BIG)
    objects = store.core.objects
    if fault == "missing":
        bucket.objects = {"restante-store": bucket.objects["restante-store"]}
    elif fault == "no objects":
        store.core.objects = None
    else:
        bucket.outage = "away"
        bucket.absence = "away" if fault == "known" else ""
    with pytest.raises(Damaged if fault == "missing" else ContentUnreachable):
        await store.reception.duplicate(file)
    await asyncio.gather(*store.core._at_work)
    store.core.objects = objects
    assert await counted(store, SPOOLS) == 1
    assert await counted(store, DOOMED) == (fault in ("outage", "missing")), "else none was written"
    assert await counted(store, f"{ROWS} WHERE doomed_at IS NULL") == 1


@pytest.mark.parametrize("size", [100, LARGE + 5])
async def test_a_copy_whose_caller_is_cancelled_goes_once_it_is_made(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    file = await spooled(store, BIG[:size])
    begun, may_write = asyncio.Event(), asyncio.Event()
    write = store.core.write

    async def write_late(change: object, lane: SessionKind = SessionKind.WORK) -> object:
        if not begun.is_set():
            begun.set()
            await may_write.wait()
        return await write(change, lane)  # type: ignore[arg-type]

    monkeypatch.setattr(store.core, "write", write_late)
    copying = asyncio.create_task(store.reception.duplicate(file))
    await begun.wait()
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    may_write.set()
    while store.core._at_work:
        await asyncio.wait(set(store.core._at_work))
    assert await counted(store, SPOOLS) == 1
    assert await counted(store, CHUNKS) == (size < LARGE)
    assert await counted(store, f"{ROWS} WHERE doomed_at IS NULL") == (size >= LARGE)


async def test_content_that_is_discarded_before_its_row_is_there_leaves_none(
    store: PostgresStore, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    added, may_commit = asyncio.Event(), asyncio.Event()
    add_object = object_spool.add_object

    async def add(transaction: PostgresTransaction, number: int, name: str) -> None:
        await add_object(transaction, number, name)
        added.set()
        await may_commit.wait()

    monkeypatch.setattr(object_spool, "add_object", add)
    spool = store.reception.open_spool()
    await spool.write(BIG)
    closing = asyncio.create_task(spool.close())
    await added.wait()
    before = set(store.core._at_work)
    spool.discard()
    await asyncio.gather(*(store.core._at_work - before))
    may_commit.set()
    with pytest.raises(StoreError, match="was given up"):
        await closing
    await asyncio.gather(*store.core._at_work)
    assert (await counted(store, SPOOLS), await counted(store, DOOMED)) == (0, 1)
    assert bucket.contents() == set()


async def test_what_a_killed_process_had_put_and_not_committed_goes(
    store: PostgresStore, other: PostgresStore, bucket: FakeBucket
) -> None:
    """Killed between PUT and COMMIT: nothing was acknowledged, and nothing is held."""
    domain_id = await hosted(store)
    await spooled(other, BIG)
    own = await spooled(store, BIG[::-1])
    await lapse(store, other, 61)
    assert await swept(store) == 1
    assert await store.upkeep.remove_left_content() == 1
    assert list(map(bucket.objects.get, bucket.contents())) == [BIG[::-1]]
    await store.reception.hold([message(1, domain_id, file=own)])
    assert await content(store.content.read_file(own)) == BIG[::-1]


async def test_a_message_is_not_held_if_its_object_was_given_up(
    store: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(store)
    file = await spooled(other, BIG)
    await lapse(store, other, 61)
    await swept(store)
    with pytest.raises(StoreError, match="was removed before it was held"):
        await other.reception.hold([message(1, domain_id, file=file)])


@pytest.mark.parametrize(
    ("fault", "way"),
    [
        *product(["missing", "changed", "cut"], ["prove", "read"]),
        *product(["missing", "cut"], ["scrub"]),  # which leaves checksums to the object store
    ],
)
async def test_damage_of_an_object_is_reported_and_sets_its_message_apart_alone(
    store: PostgresStore,
    bucket: FakeBucket,
    damages: list[tuple[int, str, int]],
    fault: str,
    way: str,
) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, BIG)
    await store.reception.hold([message(1, domain_id, file=file), message(2, domain_id)])
    [name] = bucket.contents()
    if fault == "missing":
        del bucket.objects[name]
    else:
        bucket.objects[name] = BIG[:-1] + (b"" if fault == "cut" else bytes([BIG[-1] ^ 1]))
    if way == "scrub":
        [part] = [part async for part in store.upkeep.scrub()]
        assert part.damaged == 1
    else:
        with pytest.raises(Damaged):
            await (
                store.content.prove_file(file, 1)
                if way == "prove"
                else content(store.content.read_file(file))
            )
    assert [(number, of) for number, _, of in damages] == [(1, domain_id)]
    assert [one.number for one in await all_held(store, domain_id)] == [2]
    assert await counted(store, DOOMED) == 0, "what is left of it is kept"


async def test_an_outage_is_no_damage(
    store: PostgresStore, bucket: FakeBucket, damages: list[tuple[int, str, int]]
) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, BIG)
    await store.reception.hold([message(1, domain_id, file=file)])
    bucket.outage = "away"
    with pytest.raises(ContentUnreachable):
        await store.content.prove_file(file, 1)
    with pytest.raises(ContentUnreachable):
        await store.reception.duplicate(file)
    assert [part.damaged async for part in store.upkeep.scrub()] == [0]
    assert (damages, await held_numbers(store, domain_id)) == ([], [1])
    bucket.outage = bucket.absence = ""
    assert await content(store.content.read_file(file)) == BIG


async def test_a_bucket_that_was_swapped_is_no_damage_of_all_content(
    store: PostgresStore, bucket: FakeBucket, damages: list[tuple[int, str, int]]
) -> None:
    file = await spooled(store, BIG)
    bucket.objects.clear()
    with pytest.raises(ContentUnreachable, match="has no object restante-store"):
        await store.content.prove_file(file, 1)
    assert damages == []


@pytest.mark.parametrize(("code", "kind"), [(errno.ENOSPC, StoreFull), (errno.EIO, StoreError)])
async def test_a_disk_that_takes_nothing_is_a_store_error(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[StoreError]
) -> None:
    def fail(**_given: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    spool = store.reception.open_spool()
    with pytest.raises(kind, match="large content cannot be written to "):
        await spool.write(BIG)
    spool.discard()


async def test_content_waits_in_the_directory_of_the_server(
    postgres_url: str, bucket: FakeBucket, tmp_path: Path
) -> None:
    objects = ObjectAccess("s3://fake", directory=tmp_path / "gone", smallest=SMALLEST)
    store = await opened_at(postgres_url, replace(WITH_OBJECTS, objects=objects))
    spool = store.reception.open_spool()
    with pytest.raises(StoreError, match=f"{tmp_path}/gone: No such file"):
        await spool.write(BIG)
    await store.close()


class OddFile:
    """A file whose writes can be odd."""

    def __init__(self, file: IO[bytes], write: Callable[[IO[bytes], bytes], int]) -> None:
        self._file = file
        self._write = write
        self.seek, self.read = file.seek, file.read
        self.is_closed = threading.Event()

    def write(self, data: bytes) -> int:
        return self._write(self._file, data)

    def close(self) -> None:
        self._file.close()
        self.is_closed.set()


def odd_files(
    monkeypatch: pytest.MonkeyPatch, write: Callable[[IO[bytes], bytes], int]
) -> list[OddFile]:
    """Let content wait in files that are written so; return these."""
    files: list[OddFile] = []
    make = tempfile.TemporaryFile

    def made(**given: str | None) -> OddFile:
        files.append(OddFile(make(dir=given["dir"], buffering=0), write))
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", made)
    return files


async def test_a_file_is_closed_whose_first_write_was_cancelled(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed content is first written when a chunk of it is there, perhaps at the end."""
    files = odd_files(monkeypatch, lambda file, data: file.write(data))
    make, loop = tempfile.TemporaryFile, asyncio.get_running_loop()
    begun, may_make = asyncio.Event(), threading.Event()

    def made_late(**given: str | None) -> IO[bytes]:
        loop.call_soon_threadsafe(begun.set)
        assert may_make.wait(60)
        return make(**given)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(tempfile, "TemporaryFile", made_late)
    spool = store.reception.open_spool()
    writing = asyncio.create_task(spool.write(BIG))
    await begun.wait()
    writing.cancel()
    spool.discard()
    with pytest.raises(asyncio.CancelledError):
        await writing
    may_make.set()
    while not files:
        await asyncio.to_thread(lambda: None)
    assert await asyncio.to_thread(files[0].is_closed.wait, 20)


def test_a_write_behind_a_close_makes_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    files = odd_files(monkeypatch, lambda file, data: file.write(data))
    staged = object_spool.StagedFile(None)
    staged.close()
    with pytest.raises(ValueError, match="closed"):
        staged.write(BIG)
    assert (files, staged.read(0)) == ([], b"")


async def test_content_is_whole_where_the_disk_takes_a_part_at_a_time(
    store: PostgresStore, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd_files(monkeypatch, lambda file, data: file.write(data[:30_000]))
    file = await spooled(store, BIG[:70_000], BIG[70_000:])
    assert list(map(bucket.objects.get, bucket.contents())) == [BIG]
    assert await content(store.content.read_file(file)) == BIG


async def test_a_disk_that_takes_a_part_and_then_nothing_is_a_store_error(
    store: PostgresStore, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(file: IO[bytes], data: bytes) -> int:
        return file.write(data[: max(0, 5000 - file.tell())])

    odd_files(monkeypatch, write)
    spool = store.reception.open_spool()
    with pytest.raises(StoreFull, match="No space left"):
        await spool.write(BIG)
    spool.discard()
    assert bucket.contents() == set()


@pytest.mark.parametrize("kept", [slice(0, -1), slice(1, None)])
async def test_octets_that_the_disk_lost_or_changed_are_not_acknowledged(
    store: PostgresStore, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch, kept: slice
) -> None:
    def write(file: IO[bytes], data: bytes) -> int:
        file.write(data[kept] if kept.start == 0 else b"?" + data[kept])
        return len(data)

    odd_files(monkeypatch, write)
    spool = store.reception.open_spool()
    await spool.write(BIG)
    with pytest.raises(StoreError, match="large content has changed in"):
        await spool.close()
    spool.discard()
    assert bucket.contents() == set()


async def test_a_file_is_closed_after_the_write_on_its_way(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number would be that of another file, which would get the rest of the write."""
    begun, may_end = threading.Event(), threading.Event()

    def write(file: IO[bytes], data: bytes) -> int:
        begun.set()
        assert may_end.wait(60)
        return file.write(data)

    files = odd_files(monkeypatch, write)
    spool = store.reception.open_spool()
    writing = asyncio.create_task(spool.write(BIG))
    assert await asyncio.to_thread(begun.wait, 10)
    spool.discard()
    assert not await asyncio.to_thread(files[0].is_closed.wait, 0.1)
    may_end.set()
    await writing
    assert await asyncio.to_thread(files[0].is_closed.wait, 10)
