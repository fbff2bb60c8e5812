"""The bucket of a store has its mark; without it nothing there is believed."""

import asyncio

import pytest

from restante.store.object_access import ObjectAccess
from restante.store.postgres import content_objects
from restante.store.postgres.content_objects import MARK_NAME, ContentObjects, is_name, new_name
from restante.store.store_errors import ContentUnreachable, Damaged, StoreMismatched
from tests.contract.running import loop_kind, pytest_pyfunc_call, runner
from tests.store.postgres.fake_bucket import FakeBucket

__all__ = ["loop_kind", "pytest_pyfunc_call", "runner"]

ACCESS = ObjectAccess("s3://fake")


@pytest.fixture
def bucket(runner: asyncio.Runner) -> FakeBucket:
    """An empty one."""
    return FakeBucket()


def objects(bucket: FakeBucket, mark: str = "ours", *, is_new: bool = False) -> ContentObjects:
    """Return the objects of a store with this mark."""
    return ContentObjects(bucket, ACCESS, mark, is_new=is_new)


async def test_a_new_store_marks_its_bucket_once(bucket: FakeBucket) -> None:
    await objects(bucket, is_new=True).compare_marks()
    assert bucket.objects == {MARK_NAME: b"ours"}
    await objects(bucket).compare_marks()


async def test_the_bucket_of_another_store_is_refused(bucket: FakeBucket) -> None:
    await objects(bucket, "others", is_new=True).compare_marks()
    with pytest.raises(StoreMismatched, match="has the content of another store; correct `url`"):
        await objects(bucket, is_new=True).compare_marks()
    assert bucket.objects[MARK_NAME] == b"others"


async def test_a_bucket_that_lost_its_mark_is_not_marked_again(bucket: FakeBucket) -> None:
    """There is content, and in an empty bucket all of it would look lost."""
    one = objects(bucket)
    with pytest.raises(StoreMismatched, match="has no object restante-store"):
        await one.compare_marks()
    with pytest.raises(ContentUnreachable, match="bring the bucket back"):
        await one.read("a" * 32, 0, 1)
    assert (bucket.objects, "has no object" in one.absence) == ({}, True)


async def test_only_the_place_that_was_named_first_is_marked(bucket: FakeBucket) -> None:
    for mark, is_new, remedy in (
        ("restante 12 s3://first", True, "first, which was named first, or, if that was a mistake"),
        ("restante 12 s3://first", False, "first, which was named first, or copy all objects"),
    ):
        with pytest.raises(StoreMismatched, match=remedy):
            await objects(bucket, mark, is_new=is_new).compare_marks()
        assert bucket.objects == {}
    mark = f"restante 12 {ACCESS.url}"
    await objects(bucket, mark, is_new=True).compare_marks()
    assert bucket.objects == {MARK_NAME: mark.encode()}


async def test_the_mark_of_a_long_url_is_read_whole(bucket: FakeBucket) -> None:
    mark = "restante 12 s3://" + "a" * 1100
    await bucket.put_small(MARK_NAME, mark.encode())
    await objects(bucket, mark).compare_marks()


async def test_a_missing_object_is_damage_and_a_missing_bucket_is_not(bucket: FakeBucket) -> None:
    one = objects(bucket, is_new=True)
    await one.compare_marks()
    for call in (one.read("a", 0, 1), one.size_of("a"), one.copy("a", "b", 1)):
        with pytest.raises(Damaged, match="the object a is missing in s3://fake"):
            await call
    assert one.absence == ""
    bucket.objects.clear()
    bucket.objects[MARK_NAME] = b"others"
    with pytest.raises(ContentUnreachable, match="another store"):
        await one.read("a", 0, 1)
    bucket.objects[MARK_NAME] = b"ours"
    await one.compare_marks()
    assert one.absence == ""


async def test_an_object_of_another_size_is_damage(bucket: FakeBucket) -> None:
    one = objects(bucket, is_new=True)
    await bucket.put_small("a", b"123")
    await one.examine("a", 3)
    with pytest.raises(Damaged, match="has 3 octets, not 4"):
        await one.examine("a", 4)


async def test_nothing_is_asked_while_it_is_away(bucket: FakeBucket) -> None:
    one = objects(bucket, is_new=True)
    await one.compare_marks()
    bucket.outage = "no answer in time"
    with pytest.raises(ContentUnreachable, match="no answer in time"):
        await one.read("a", 0, 1)
    asked = bucket.calls
    with pytest.raises(ContentUnreachable, match="no answer in time"):
        await one.read("a", 0, 1)
    assert bucket.calls == asked


async def test_it_is_asked_again_until_it_is_back(
    bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content_objects, "PROBE_SECONDS", 0.001)
    one = objects(bucket, is_new=True)
    bucket.outage = "no answer in time"
    with pytest.raises(ContentUnreachable):
        await one.compare_marks()
    one.begin()
    asked = bucket.calls
    async with asyncio.timeout(60):
        while bucket.calls < asked + 2:  # noqa: ASYNC110  the object store is asked by a timer
            await asyncio.sleep(0.001)
        assert one.absence == "no answer in time"
        bucket.outage = ""
        while one.absence:  # noqa: ASYNC110  as above
            await asyncio.sleep(0.001)
    assert bucket.objects == {MARK_NAME: b"ours"}
    await one.close()


async def test_only_content_is_listed(bucket: FakeBucket) -> None:
    one = objects(bucket, is_new=True)
    name = new_name()
    for stored in (name, "notes.txt", "A" * 32, name[:-1]):
        await bucket.put_small(stored, b"")
    assert [page async for page in one.listed()] == [[name]]


def test_names_are_never_the_same() -> None:
    names = {new_name() for _ in range(1000)}
    assert len(names) == 1000
    assert all(map(is_name, names))
    assert not is_name(MARK_NAME)
