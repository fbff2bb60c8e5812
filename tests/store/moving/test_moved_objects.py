"""Moves of stores whose large content is in an object store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Final

import pytest

from restante.store.moving.store_mover import undo_move
from restante.store.object_access import ObjectAccess
from restante.store.store_errors import ContentUnreachable, StoreMismatched
from tests.postgres_cluster import ALONE
from tests.store.moving.moves import ends, everything, move, without_entries
from tests.store.postgres.fake_bucket import FakeBucket, use

ACCESS: Final = replace(ALONE, objects=ObjectAccess("s3://fake"))
move_with_objects = partial(move, access=ACCESS)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> FakeBucket:
    """An empty one, which stores use."""
    bucket = FakeBucket()
    use(bucket, monkeypatch)
    return bucket


async def test_there_and_back_everything_is_as_before(
    filled: str, database: str, other: str, bucket: FakeBucket
) -> None:
    before = await everything(filled)
    there = await move_with_objects(filled, database)
    assert [len(bucket.objects[name]) for name in bucket.contents()] == [(1 << 20) + 3]
    assert without_entries(await everything(database, ACCESS), 1) == before
    back = await move_with_objects(database, other)
    assert without_entries(await everything(other), 2) == before
    assert (there.octets, there.damaged) == (back.octets, back.damaged)


async def test_an_object_that_was_lost_is_as_lost_as_before(
    filled: str, database: str, other: str, bucket: FakeBucket
) -> None:
    there = await move_with_objects(filled, database)
    [name] = bucket.contents()
    del bucket.objects[name]
    back = await move_with_objects(database, other)
    assert len(back.damaged) == len(there.damaged) + 1


async def test_without_the_setting_nothing_is_moved(
    filled: str, database: str, other: str, bucket: FakeBucket
) -> None:
    await move_with_objects(filled, database)
    with pytest.raises(StoreMismatched, match=r"\[objects\] is not set"):
        await move(database, other)
    await move_with_objects(database, other)


async def test_a_move_is_run_again_after_an_outage(
    filled: str, database: str, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await everything(filled)
    put = bucket.put

    async def fail(name: str, blocks: AsyncIterator[bytes], size: int) -> None:
        raise ContentUnreachable("no answer in time")

    monkeypatch.setattr(bucket, "put", fail)
    with pytest.raises(ContentUnreachable):
        await move_with_objects(filled, database)
    monkeypatch.setattr(bucket, "put", put)
    await move_with_objects(filled, database)
    assert without_entries(await everything(database, ACCESS), 1) == before
    assert len(bucket.contents()) == 1


async def test_a_move_that_is_given_up_leaves_no_object(
    filled: str, database: str, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = bucket.put

    async def put_and_fail(name: str, blocks: AsyncIterator[bytes], size: int) -> None:
        await put(name, blocks, size)
        raise ContentUnreachable("no answer in time")

    monkeypatch.setattr(bucket, "put", put_and_fail)
    with pytest.raises(ContentUnreachable):
        await move_with_objects(filled, database)
    assert len(bucket.contents()) == 1
    async with ends(filled, database, ACCESS) as (source, target):
        await undo_move(source, target)
    assert bucket.contents() == set()
    monkeypatch.setattr(bucket, "put", put)
    await move_with_objects(filled, database)
    assert len(bucket.contents()) == 1


async def test_the_bucket_of_another_store_takes_no_move(
    filled: str, database: str, bucket: FakeBucket
) -> None:
    bucket.objects["restante-store"] = b"another"
    with pytest.raises(StoreMismatched, match="has the content of another store"):
        await move_with_objects(filled, database)
    async with ends(filled, database, ACCESS) as (source, target):
        await undo_move(source, target)
    assert (bucket.contents(), bucket.objects["restante-store"]) == (set(), b"another")
    del bucket.objects["restante-store"]
    await move_with_objects(filled, database)


async def test_a_move_is_not_given_up_without_its_object_store(
    filled: str, database: str, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = bucket.put

    async def put_and_fail(name: str, blocks: AsyncIterator[bytes], size: int) -> None:
        await put(name, blocks, size)
        raise ContentUnreachable("no answer in time")

    monkeypatch.setattr(bucket, "put", put_and_fail)
    with pytest.raises(ContentUnreachable):
        await move_with_objects(filled, database)
    async with ends(filled, database) as (source, target):
        with pytest.raises(StoreMismatched, match=r"\[objects\]"):
            await undo_move(source, target)
    assert len(bucket.contents()) == 1
    async with ends(filled, database, ACCESS) as (source, target):
        await undo_move(source, target)
    assert bucket.contents() == set()
