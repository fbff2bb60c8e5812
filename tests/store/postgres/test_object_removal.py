"""Sweeps remove what belongs to nobody, and never anything else."""

import asyncio
import time
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restante.store.postgres import PostgresStore, object_queries
from restante.store.postgres.content_objects import new_name
from restante.store.postgres.postgres_transaction import NodeKey
from restante.store.store_errors import ContentUnreachable, StoreError
from tests.store.postgres.fake_bucket import FakeBucket
from tests.store.postgres.test_chunk_spool import run
from tests.store.postgres.test_object_spool import bucket, damages, store

__all__ = ["bucket", "damages", "store"]

GRACE: Final = 100.0
DOOM: Final = "UPDATE content_object SET doomed_at = now() WHERE content_id = $1"
CASES: Final = st.lists(
    st.tuples(st.sampled_from(["held", "doomed", "stray", "foreign"]), st.floats(0, 2 * GRACE)),
    max_size=12,
)


async def stored(
    store: PostgresStore, bucket: FakeBucket, kind: str, age: float, number: int
) -> str:
    """Put an object of some kind and age; return its name."""
    name = f"foreign-{number}" if kind == "foreign" else new_name()
    await bucket.put_small(name, b"x")
    bucket.modified[name] = 1000.0 - age
    if kind in ("held", "doomed"):
        await run(store, object_queries.ADD_OBJECT, number, name)
    if kind == "doomed":
        await run(store, DOOM, number)
    return name


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=CASES)
def test_a_sweep_removes_old_objects_without_a_row_and_those_of_mail_that_left(
    store: PostgresStore,
    bucket: FakeBucket,
    runner: asyncio.Runner,
    cases: list[tuple[str, float]],
) -> None:
    async def swept() -> None:
        await run(store, "DELETE FROM content_object")
        for name in bucket.contents():
            del bucket.objects[name]
        kept = set()
        for number, (kind, age) in enumerate(cases, 1):
            name = await stored(store, bucket, kind, age, number)
            if kind in ("held", "foreign") or (kind == "stray" and 1000.0 - age >= 1000.0 - GRACE):
                kept.add(name)
        await store.upkeep.remove_left_content()
        await store.upkeep.remove_stray_content(1000.0 - GRACE)
        assert bucket.contents() == kept
        rows = await store.core.fetch("SELECT name FROM content_object")
        assert {name for (name,) in rows} <= kept

    runner.run(swept())


async def test_many_objects_are_swept_in_steps(store: PostgresStore, bucket: FakeBucket) -> None:
    for number in range(150):
        await stored(store, bucket, "doomed" if number % 2 else "stray", GRACE, number)
    assert await store.upkeep.remove_left_content() == 75
    assert await store.upkeep.remove_stray_content(time.time()) == 75
    assert bucket.contents() == set()


@pytest.mark.parametrize("kind", ["doomed", "stray"])
async def test_an_object_that_cannot_be_deleted_keeps_no_other(
    store: PostgresStore, bucket: FakeBucket, kind: str
) -> None:
    names = [await stored(store, bucket, kind, GRACE, number) for number in range(150)]
    bucket.undeletable = {names[0], names[70]}

    async def swept() -> int:
        if kind == "doomed":
            return await store.upkeep.remove_left_content()
        return await store.upkeep.remove_stray_content(time.time())

    with pytest.raises(ContentUnreachable, match="stays"):
        await swept()
    assert bucket.contents() == bucket.undeletable
    assert bucket.absence == store.upkeep.content_absence == ""
    bucket.undeletable = set()
    assert await swept() == 2
    assert bucket.contents() == set()


async def test_a_sweep_ends_once_much_cannot_be_deleted(
    store: PostgresStore, bucket: FakeBucket
) -> None:
    for number in range(150):
        await stored(store, bucket, "doomed", GRACE, number)
    before = bucket.calls
    bucket.outage = "away"
    with pytest.raises(ContentUnreachable, match="away"):
        await store.upkeep.remove_left_content()
    assert bucket.calls == before + 1


async def test_nothing_is_swept_in_the_bucket_of_another_store(
    store: PostgresStore, bucket: FakeBucket
) -> None:
    await stored(store, bucket, "stray", GRACE, 1)
    bucket.objects["restante-store"] = b"another"
    with pytest.raises(StoreError, match="another store"):
        await store.upkeep.remove_stray_content(time.time())
    assert len(bucket.contents()) == 1


async def test_a_process_that_lost_its_slot_sweeps_nothing(
    store: PostgresStore, bucket: FakeBucket
) -> None:
    """Its database may be a former primary, which does not know the newest rows."""
    await stored(store, bucket, "stray", GRACE, 1)
    await stored(store, bucket, "doomed", GRACE, 2)
    slot, epoch = store.core.node.key
    store.core.node.key = NodeKey(slot, epoch + 1)
    for sweep in (
        store.upkeep.remove_left_content(),
        store.upkeep.remove_stray_content(time.time()),
    ):
        with pytest.raises(StoreError, match="has the slot"):
            await sweep
    store.core.node.key = NodeKey(slot, epoch)
    assert len(bucket.contents()) == 2
