"""The walk over the whole store of a running server: its findings, its cost, and no hindrance."""

import asyncio
from pathlib import Path

import apsw
import pytest

from restante.store.figure_store import SetApart
from restante.store.sqlite import SqliteStore, care_queries, scrub, start_check
from restante.store.sqlite.engine import PAGE_SIZE
from restante.store.store_care import ScrubSlice
from restante.store.store_errors import StoreError
from tests.contract.making import (
    CONTENT,
    NOTED,
    deferred,
    held_numbers,
    hold,
    hosted,
    message,
    opened,
    spooled,
)
from tests.store.damage_report import DamageReport
from tests.store.test_damage import NOISE
from tests.store.test_failing_disk import spoil
from tests.store.watched_disk import WatchedDisk


async def walked(store: SqliteStore) -> ScrubSlice:
    """Walk once; return the sum."""
    parts = [part async for part in store.upkeep.scrub()]
    return ScrubSlice(
        sum(part.messages for part in parts),
        sum(part.octets for part in parts),
        sum(part.files for part in parts),
        sum(part.seconds for part in parts),
        sum(part.damaged for part in parts),
    )


async def filled(store: SqliteStore, count: int = 100) -> int:
    domain_id = await hosted(store)
    await hold(store, domain_id, *range(1, count + 1))
    await store.reception.hold(
        [message(count + 1, domain_id, file=await spooled(store, b"content"))]
    )
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.handover.settle(drain, [deferred(number) for number in range(1, count)])
    return domain_id


async def test_it_reads_all_mail_and_finds_a_sound_store_sound(
    store: SqliteStore, damage: DamageReport
) -> None:
    await filled(store)
    sum_of_all = await walked(store)
    assert (sum_of_all.messages, sum_of_all.files, sum_of_all.damaged) == (101, 1, 0)
    assert sum_of_all.octets == 101 * len(CONTENT) + 7
    assert damage.numbers == []
    assert not store.upkeep.failure


async def test_an_empty_store_is_walked_too(store: SqliteStore) -> None:
    assert (await walked(store)).messages == 0


async def test_a_damaged_content_is_parked_before_anybody_asks_for_it(
    store: SqliteStore, directory: Path, damage: DamageReport
) -> None:
    domain_id = await filled(store)
    spoil(directory, "UPDATE message SET head = x'00' WHERE number = 7")
    [file] = (directory / "content").glob("*/*")
    file.write_bytes(b"CONTENT")
    assert (await walked(store)).damaged == 2
    assert damage.numbers == [7, 101]
    assert damage.domain_ids == [domain_id, domain_id]
    assert await held_numbers(store, domain_id) == [
        number for number in range(1, 101) if number != 7
    ]
    assert await store.figures.set_apart() == {domain_id: SetApart(damaged=2, unheld=2)}
    await walked(store)
    assert damage.numbers == [7, 101]  # told once


async def test_mail_that_leaves_during_the_walk_is_no_damage(
    store: SqliteStore, damage: DamageReport
) -> None:
    await filled(store)
    walk = store.upkeep.scrub()
    async for part in walk:
        if part.messages:
            await store.queue.delete([101], NOTED)
    assert damage.numbers == []


async def test_a_damaged_page_ends_the_store(
    store: SqliteStore, directory: Path, disk: WatchedDisk
) -> None:
    await filled(store, 2000)
    disk.fails_to("read", "db", apsw.CorruptError("malformed"))
    disk.fails_to("read", "wal", apsw.CorruptError("malformed"))
    with pytest.raises(StoreError, match="malformed"):
        await walked(store)
    disk.is_sound()
    assert store.upkeep.failure
    assert (directory / "damaged").exists()


@pytest.mark.parametrize("index", care_queries.UNINDEXED)
async def test_mail_that_an_index_lacks_is_found(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch, index: str
) -> None:
    """The store is asked, because its index seems to lack an entry: the entries of one number."""
    await filled(store)
    query = care_queries.UNINDEXED[index].replace(
        "FROM message AS entry", "FROM message AS entry", 1
    )
    lacking = query.rstrip().rstrip(")") + " AND entry.number <> 101)"
    monkeypatch.setitem(care_queries.UNINDEXED, index, lacking)
    with pytest.raises(StoreError, match=f"message 101 is missing from index {index}"):
        await walked(store)
    assert store.upkeep.failure


async def test_a_table_that_takes_long_is_read_in_slices(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(store, 600)
    monkeypatch.setattr(scrub, "_CHECK_SECONDS", -1.0)
    monkeypatch.setattr(scrub, "_SLICE_SECONDS", 0.0)
    monkeypatch.setattr(start_check, "_PROGRESS_STEPS", 1)
    slices = [part async for part in store.upkeep.scrub()]
    assert len([part for part in slices if not part.messages]) > 15
    assert sum(part.messages for part in slices) == 601


async def test_a_walk_can_be_given_up(store: SqliteStore) -> None:
    await filled(store)
    walk = store.upkeep.scrub()
    await anext(walk)
    await walk.aclose()  # type: ignore[attr-defined]
    assert (await walked(store)).messages == 101


async def test_a_large_store_that_was_damaged_at_rest_is_met_by_the_walk(
    runner: asyncio.Runner, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from restante.store.sqlite import open_sqlite  # noqa: PLC0415

    store = await open_sqlite(directory)
    await filled(store, 3000)
    await store.close()
    with (directory / "restante.db").open("r+b") as file:
        file.seek(-3 * PAGE_SIZE, 2)
        file.write(NOISE)
    monkeypatch.setattr(start_check, "_check_tables", _no_time)
    monkeypatch.setattr(start_check, "_walk_mail", lambda _connection: None)
    store = await open_sqlite(directory, proof_seconds=0.0)
    assert not store.upkeep.is_proven
    with pytest.raises(StoreError):
        await walked(store)
    assert store.upkeep.failure
    await store.close()


def _no_time(_connection: apsw.Connection) -> None:
    raise apsw.InterruptError


# --- when it runs
