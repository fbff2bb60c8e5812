"""Moves of stores whose large content is in an object store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from restante.store.database_access import DatabaseAccess
from restante.store.moving.store_mover import undo_move
from restante.store.object_access import ObjectAccess
from restante.store.postgres import obstore_bucket
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


async def half_move(
    filled: str, database: str, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Move until there is an object, and fail."""
    put = bucket.put

    async def put_and_fail(name: str, blocks: AsyncIterator[bytes], size: int) -> None:
        await put(name, blocks, size)
        raise ContentUnreachable("no answer in time")

    with monkeypatch.context() as patched:
        patched.setattr(bucket, "put", put_and_fail)
        with pytest.raises(ContentUnreachable):
            await move_with_objects(filled, database)
    assert len(bucket.contents()) == 1


async def test_a_move_that_is_given_up_leaves_no_object(
    filled: str, database: str, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    await half_move(filled, database, bucket, monkeypatch)
    async with ends(filled, database, ACCESS) as (source, target):
        await undo_move(source, target)
    assert bucket.contents() == set()
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
    await half_move(filled, database, bucket, monkeypatch)
    async with ends(filled, database) as (source, target):
        with pytest.raises(StoreMismatched, match=r"\[objects\]"):
            await undo_move(source, target)
    assert len(bucket.contents()) == 1
    async with ends(filled, database, ACCESS) as (source, target):
        await undo_move(source, target)
    assert bucket.contents() == set()


@pytest.fixture
def buckets(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeBucket]:
    """Empty ones by their URL."""
    made: dict[str, FakeBucket] = {}

    def open_bucket(access: ObjectAccess) -> FakeBucket:
        return made.setdefault(access.url, FakeBucket())

    monkeypatch.setattr(obstore_bucket, "open_bucket", open_bucket)
    return made


def keeping(url: str) -> DatabaseAccess:
    """Return the access of a store with its large content there. No server has started yet."""
    return replace(ALONE, objects=ObjectAccess(url, directory=Path("/never/made")))


async def test_another_bucket_may_be_named_after_one_was_refused(
    filled: str, database: str, buckets: dict[str, FakeBucket]
) -> None:
    buckets["s3://wrong"] = FakeBucket()
    buckets["s3://wrong"].objects["restante-store"] = b"another"
    with pytest.raises(StoreMismatched, match="has the content of another store"):
        await move(filled, database, access=keeping("s3://wrong"))
    await move(filled, database, access=keeping("s3://right"))
    assert len(buckets["s3://right"].contents()) == 1


async def test_the_bucket_of_the_new_store_is_not_taken_for_that_of_the_old_one(
    filled: str, database: str, other: str, buckets: dict[str, FakeBucket]
) -> None:
    """The old store has no objects, and the settings are those of the new one already."""
    before = await everything(filled)
    await move(filled, database)
    await move(database, other, access=keeping("s3://new"))
    assert without_entries(await everything(other), 2) == before
    assert "s3://new" not in buckets
    assert without_entries(await everything(database), 1) == before, "it has no mark"
