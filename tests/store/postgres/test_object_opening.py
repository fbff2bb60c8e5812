"""A store is opened with its own object store, or without one, and never with another."""

from collections import defaultdict
from dataclasses import replace

import pytest

from restante.store.object_access import ObjectAccess
from restante.store.postgres import PostgresStore, object_queries, obstore_bucket
from restante.store.postgres.postgres_schema import VERSION
from restante.store.postgres.schema_upgrade import SCHEMA_FOUND
from restante.store.store_errors import ContentUnreachable, StoreMismatched
from tests.contract.making import content, spooled
from tests.postgres_cluster import ALONE
from tests.store.postgres.fake_bucket import WITH_OBJECTS, FakeBucket, opened_at
from tests.store.postgres.test_chunk_spool import run
from tests.store.postgres.test_object_spool import BIG, bucket, damages, store

__all__ = ["bucket", "damages", "store"]


async def test_content_from_before_the_setting_stays_where_it_is(
    postgres_url: str, bucket: FakeBucket
) -> None:
    before = await opened_at(postgres_url, ALONE)
    file = await spooled(before, BIG)
    store = await opened_at(postgres_url)
    assert await content(store.content.read_file(file)) == BIG
    assert bucket.contents() == set()
    late = await spooled(store, BIG)  # which the other one cannot read
    with pytest.raises(ContentUnreachable, match=r"set \[objects\] as on its other servers"):
        await content(before.content.read_file(late))
    await before.close()
    await store.close()


async def test_a_server_without_the_setting_does_not_start_once_there_are_objects(
    store: PostgresStore, postgres_url: str
) -> None:
    await (await opened_at(postgres_url, ALONE)).close()
    await spooled(store, BIG)
    with pytest.raises(StoreMismatched, match=r"\[objects\] is not set"):
        await opened_at(postgres_url, ALONE)


async def test_programs_that_know_no_objects_do_not_start_any_more(store: PostgresStore) -> None:
    [(version, oldest, _)] = await store.core.fetch(SCHEMA_FOUND)
    assert (version, oldest) == (VERSION, VERSION)


async def test_a_server_refuses_the_bucket_of_another_store(
    store: PostgresStore, bucket: FakeBucket, postgres_url: str
) -> None:
    bucket.objects["restante-store"] = b"another"
    with pytest.raises(StoreMismatched, match="has the content of another store"):
        await opened_at(postgres_url)
    await (await opened_at(postgres_url, is_server=False)).close()  # a command asks when it must


async def test_a_server_with_a_mistyped_url_marks_nothing(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No content exists yet that the other place would lack."""
    buckets: dict[str, FakeBucket] = defaultdict(FakeBucket)
    monkeypatch.setattr(obstore_bucket, "open_bucket", lambda access: buckets[access.url])
    store = await opened_at(postgres_url)
    wrong = replace(WITH_OBJECTS, objects=ObjectAccess("s3://fake/hled"))
    with pytest.raises(StoreMismatched, match=r"to s3://fake, which was named first"):
        await opened_at(postgres_url, wrong)
    assert {url for url, one in buckets.items() if one.objects} == {"s3://fake"}
    await store.close()


async def test_notes_on_stray_objects_are_no_content(
    store: PostgresStore, bucket: FakeBucket, postgres_url: str
) -> None:
    await bucket.put_small("a" * 32, b"")
    await store.upkeep.remove_stray_content(100.0)
    assert await store.core.fetch("SELECT name FROM content_object") == [("a" * 32,)]
    await (await opened_at(postgres_url, ALONE)).close()


async def test_a_server_starts_during_an_outage(bucket: FakeBucket, postgres_url: str) -> None:
    bucket.outage = "no answer in time"
    store = await opened_at(postgres_url)
    assert store.upkeep.content_absence == "no answer in time"
    await store.close()


async def test_numbers_of_content_are_not_given_again(
    store: PostgresStore, postgres_url: str
) -> None:
    late = 1 << 60
    await run(store, object_queries.ADD_OBJECT, late, "a" * 32)
    other = await opened_at(postgres_url)
    assert other.core.mirror.content_numbers.last >= late
    await other.close()
