"""Sweeps remove what belongs to nobody, and never anything else."""

import asyncio
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restante.store.postgres import PostgresStore, object_queries
from restante.store.postgres.content_objects import new_name
from restante.store.postgres.object_removal import stray_number
from restante.store.postgres.postgres_transaction import NodeKey
from restante.store.store_errors import ContentUnreachable, StoreError
from tests.store.postgres.fake_bucket import FakeBucket
from tests.store.postgres.test_chunk_spool import run
from tests.store.postgres.test_object_spool import bucket, damages, store

__all__ = ["bucket", "damages", "store"]

GRACE: Final = 100.0
DOOM: Final = "UPDATE content_object SET doomed_at = now() WHERE content_id = $1"
AGE: Final = """
    UPDATE content_object SET doomed_at = doomed_at - make_interval(secs => $2) WHERE name = $1
"""
CASES: Final = st.lists(
    st.tuples(
        st.sampled_from(["held", "doomed", "stray", "foreign"]),
        st.sampled_from([0.0, GRACE / 2, GRACE, 2 * GRACE]),
    ),
    max_size=12,
)


async def stored(store: PostgresStore, bucket: FakeBucket, kind: str, number: int) -> str:
    """Put an object of some kind; return its name."""
    name = f"foreign-{number}" if kind == "foreign" else new_name()
    await bucket.put_small(name, b"x")
    if kind in ("held", "doomed"):
        await run(store, object_queries.ADD_OBJECT, number, name)
    if kind == "doomed":
        await run(store, DOOM, number)
    return name


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases=CASES)
def test_a_sweep_removes_objects_long_seen_without_a_row_and_those_of_mail_that_left(
    store: PostgresStore,
    bucket: FakeBucket,
    runner: asyncio.Runner,
    cases: list[tuple[str, float]],
) -> None:
    async def swept() -> None:
        await run(store, "DELETE FROM content_object")
        for name in bucket.contents():
            del bucket.objects[name]
        kept, strays = set(), {}
        for number, (kind, age) in enumerate(cases, 1):
            name = await stored(store, bucket, kind, number)
            if kind == "stray":
                strays[name] = age
            if kind in ("held", "foreign") or (kind == "stray" and age < GRACE):
                kept.add(name)
        await store.upkeep.remove_left_content()
        assert await store.upkeep.remove_stray_content(GRACE) == 0
        for name, age in strays.items():
            await run(store, AGE, name, age)
        await store.upkeep.remove_stray_content(GRACE)
        await store.upkeep.remove_left_content()
        assert bucket.contents() == kept
        rows = await store.core.fetch("SELECT name FROM content_object")
        assert {name for (name,) in rows} <= kept

    runner.run(swept())


async def test_a_look_that_finds_nothing_writes_nothing(
    store: PostgresStore, bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stored(store, bucket, "held", 1)
    writes: list[object] = []

    async def write(change: object, lane: object = None) -> None:
        writes.append((change, lane))

    with monkeypatch.context() as patched:
        patched.setattr(store.core, "write", write)
        assert await store.upkeep.remove_left_content() == 0
    assert writes == []


async def test_many_objects_are_swept_in_steps(store: PostgresStore, bucket: FakeBucket) -> None:
    for number in range(150):
        await stored(store, bucket, "doomed" if number % 2 else "stray", number)
    assert await store.upkeep.remove_left_content() == 75
    assert await store.upkeep.remove_stray_content(0.0) == 75
    assert bucket.contents() == set()


@pytest.mark.parametrize("kind", ["doomed", "stray"])
async def test_an_object_that_cannot_be_deleted_keeps_no_other(
    store: PostgresStore, bucket: FakeBucket, kind: str
) -> None:
    names = [await stored(store, bucket, kind, number) for number in range(150)]
    bucket.undeletable = {names[0], names[70]}

    async def swept() -> int:
        if kind == "doomed":
            return await store.upkeep.remove_left_content()
        return await store.upkeep.remove_stray_content(0.0)

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
        await stored(store, bucket, "doomed", number)
    before = bucket.calls
    bucket.outage = "away"
    with pytest.raises(ContentUnreachable, match="away"):
        await store.upkeep.remove_left_content()
    assert bucket.calls == before + 1


async def test_a_restore_of_the_wrong_backup_can_be_undone(
    store: PostgresStore, bucket: FakeBucket
) -> None:
    """Its objects are old, and the grace begins when they are first seen without a row."""
    rows = [(number, await stored(store, bucket, "held", number)) for number in (1, 2, 3)]
    await run(store, "DELETE FROM content_object")  # the wrong backup knows none of them
    for _ in range(2):  # and a server starts twice
        assert await store.upkeep.remove_stray_content(GRACE) == 0
        assert await store.upkeep.remove_left_content() == 0
    await run(store, "DELETE FROM content_object")  # the right one replaces all of it
    for row in rows:
        await run(store, object_queries.ADD_OBJECT, *row)
    assert await store.upkeep.remove_stray_content(0.0) == 0
    assert bucket.contents() == {name for _, name in rows}


def test_a_stray_object_never_has_the_number_of_content() -> None:
    assert stray_number("0" * 32) == -1
    assert -(2**63) <= stray_number("f" * 32) < 0


async def test_nothing_is_swept_in_the_bucket_of_another_store(
    store: PostgresStore, bucket: FakeBucket
) -> None:
    await stored(store, bucket, "stray", 1)
    bucket.objects["restante-store"] = b"another"
    with pytest.raises(StoreError, match="another store"):
        await store.upkeep.remove_stray_content(0.0)
    assert len(bucket.contents()) == 1


async def test_a_process_that_lost_its_slot_sweeps_nothing(
    store: PostgresStore, bucket: FakeBucket
) -> None:
    """Its database may be a former primary, which does not know the newest rows."""
    await stored(store, bucket, "stray", 1)
    await stored(store, bucket, "doomed", 2)
    slot, epoch = store.core.node.key
    store.core.node.key = NodeKey(slot, epoch + 1)
    for sweep in (
        store.upkeep.remove_left_content(),
        store.upkeep.remove_stray_content(0.0),
    ):
        with pytest.raises(StoreError, match="has the slot"):
            await sweep
    store.core.node.key = NodeKey(slot, epoch)
    assert len(bucket.contents()) == 2
