"""Large content in chunks: without a message it goes, with one it stays."""

import asyncio
import gc
import os
from datetime import timedelta

import asyncpg
import pytest

from restante.store.postgres import PostgresStore, content_queries
from restante.store.postgres.chunk_spool import CHUNK, ChunkSpool
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import StoreError
from tests.contract.making import (
    content,
    delivered,
    held_numbers,
    hosted,
    message,
    opened,
    spooled,
)
from tests.store.postgres.waiting import when_one_waits

LAPSE = "UPDATE node SET expires_at = clock_timestamp() - $2::interval WHERE id = $1"
CHUNKS = "SELECT count(*) FROM chunk"
SPOOLS = "SELECT count(*) FROM spool"


async def run(store: PostgresStore, statement: str, *values: object) -> None:
    """Change something behind the back of the store."""
    async with store.core._lanes[SessionKind.WORK].session() as session:
        await session.fetch(statement, *values)


@pytest.fixture
def store(store: PostgresStore, runner: asyncio.Runner) -> PostgresStore:
    """A store whose process has had the heartbeats after which it may judge others."""
    for _ in range(2):
        runner.run(store.core.node.beat())
    return store


async def lapse(store: PostgresStore, other: PostgresStore, minutes: int) -> None:
    """Let the lease of another process be over for so long."""
    await run(store, LAPSE, other.core.node.key.id, timedelta(minutes=minutes))


async def swept(store: PostgresStore) -> int:
    """Sweep; return how many contents are left that no message has."""
    assert [step async for step in store.upkeep.scrub()] == []
    return await counted(store, SPOOLS)


async def counted(store: PostgresStore, statement: str) -> int:
    """Return how many rows there are."""
    [(count,)] = await store.core.fetch(statement)
    return int(count)


async def test_content_has_a_row_for_each_mebibyte(store: PostgresStore) -> None:
    octets = os.urandom(2 * CHUNK + 1)
    file = await spooled(store, octets[:100], octets[100 : CHUNK + 7], octets[CHUNK + 7 :])
    assert await counted(store, CHUNKS) == 3
    assert await content(store.content.read_file(file)) == octets
    assert await store.content.read_beginning(file, CHUNK + 3) == octets[: CHUNK + 3]


async def test_discarded_content_leaves_no_row(store: PostgresStore) -> None:
    spool = store.reception.open_spool()
    await spool.write(bytes(CHUNK))
    assert (await counted(store, CHUNKS), await counted(store, SPOOLS)) == (1, 1)
    spool.discard()
    await asyncio.gather(*store.core._at_work)
    assert (await counted(store, CHUNKS), await counted(store, SPOOLS)) == (0, 0)


async def test_content_that_is_discarded_while_its_first_chunk_is_written_leaves_no_row(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a connection is cut: the one who writes is cancelled, and the chunk goes on."""
    begun, may_commit = asyncio.Event(), asyncio.Event()
    write_moves = PostgresTransaction.write_moves

    async def write_late(transaction: PostgresTransaction) -> None:
        if not begun.is_set():  # by the chunk, not by its removal
            begun.set()
            await may_commit.wait()
        await write_moves(transaction)

    monkeypatch.setattr(PostgresTransaction, "write_moves", write_late)
    spool = store.reception.open_spool()
    writing = asyncio.create_task(spool.write(bytes(CHUNK)))
    await begun.wait()
    writing.cancel()
    chunk = set(store.core._at_work)
    spool.discard()
    await asyncio.wait(set(store.core._at_work) - chunk)
    may_commit.set()
    while store.core._at_work:
        await asyncio.wait(set(store.core._at_work))
    assert (await counted(store, CHUNKS), await counted(store, SPOOLS)) == (0, 0)


async def test_content_is_discarded_without_an_error(store: PostgresStore) -> None:
    spool = store.reception.open_spool()
    await spool.write(bytes(CHUNK))
    file = await spooled(store, bytes(10))
    store.core.node.failure = "another process has the slot"
    told: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: told.append(context))
    spool.discard()
    store.reception.discard(file)
    await asyncio.wait(set(store.core._at_work))
    gc.collect()
    loop.set_exception_handler(None)
    store.core.node.failure = ""
    assert told == []


async def test_content_of_a_message_is_no_longer_spooled_and_goes_with_it(
    store: PostgresStore,
) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, bytes(10))
    await store.reception.hold([message(1, domain_id, file=file)])
    assert (await counted(store, CHUNKS), await counted(store, SPOOLS)) == (1, 0)
    await store.handover.settle(await opened(store, domain_id), [delivered(1)])
    assert await counted(store, CHUNKS) == 0


async def test_content_that_a_dead_process_was_writing_is_removed_by_a_scrub(
    store: PostgresStore, other: PostgresStore
) -> None:
    await spooled(other, bytes(10))
    own = await spooled(store, bytes(10))
    await other.close()
    assert [step async for step in store.upkeep.scrub()] == []
    assert await counted(store, SPOOLS) == 1
    assert await content(store.content.read_file(own)) == bytes(10)


async def test_a_batch_is_not_held_if_content_of_it_was_removed(
    store: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(store)
    files = [await spooled(other, bytes(10)) for _ in range(2)]
    await run(store, "DELETE FROM spool WHERE content_id = $1", int(files[0].name))
    batch = [message(number, domain_id, file=file) for number, file in enumerate(files, 1)]
    with pytest.raises(StoreError, match="was removed before it was held"):
        await other.reception.hold([*batch, message(3, domain_id)])
    assert await held_numbers(store, domain_id) == []
    assert other.figures.usage(domain_id).messages == 0
    assert await counted(store, SPOOLS) == 1  # the second can still be held
    await other.reception.hold(batch[1:])
    assert await content(store.content.read_file(files[1])) == bytes(10)


async def test_content_that_was_removed_takes_no_more(
    store: PostgresStore, other: PostgresStore
) -> None:
    spool = other.reception.open_spool()
    await spool.write(bytes(CHUNK))
    await lapse(store, other, 61)
    assert await swept(store) == 0
    with pytest.raises(StoreError, match="was removed while it was written"):
        await spool.write(bytes(CHUNK))
    assert await counted(store, CHUNKS) == 0


async def test_content_is_left_until_the_lease_of_its_process_is_over_for_an_hour(
    store: PostgresStore, other: PostgresStore
) -> None:
    await spooled(other, bytes(10))
    await lapse(store, other, 59)
    assert await swept(store) == 1
    await lapse(store, other, 61)
    assert await swept(store) == 0


async def test_own_content_is_never_swept(store: PostgresStore) -> None:
    await spooled(store, bytes(10))
    await lapse(store, store, 61)
    assert await swept(store) == 1


async def test_nothing_is_swept_soon_after_the_database_was_away(
    store: PostgresStore, other: PostgresStore
) -> None:
    await spooled(other, bytes(10))
    await other.close()
    store.core.node._beats = 0
    assert await swept(store) == 1


async def test_a_sweep_goes_on_until_nothing_is_left(store: PostgresStore) -> None:
    many = "INSERT INTO spool SELECT n, 200, 1 FROM generate_series(1, 150) AS n"
    await run(store, many)
    assert await swept(store) == 0


async def test_a_removal_waits_for_a_chunk_on_its_way_and_takes_it_along(
    store: PostgresStore, other: PostgresStore, postgres_url: str
) -> None:
    spool = other.reception.open_spool()
    await spool.write(bytes(CHUNK))
    await lapse(store, other, 61)
    assert isinstance(spool, ChunkSpool)
    writer = await asyncpg.connect(postgres_url)
    block = writer.transaction()
    await block.start()
    await writer.fetch(content_queries.ADD_CHUNK, spool._number, 1, b"late")
    sweep = asyncio.create_task(swept(store))
    await when_one_waits(writer)
    await block.commit()
    assert await sweep == 0
    assert await counted(store, CHUNKS) == 0
    await writer.close()
