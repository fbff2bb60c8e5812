"""Large content in chunks: without a message it goes, with one it stays."""

import os

from restante.store.postgres import PostgresStore
from restante.store.postgres.chunk_spool import CHUNK
from tests.contract.making import content, delivered, hosted, message, opened, spooled

CHUNKS = "SELECT count(*) FROM chunk"
SPOOLS = "SELECT count(*) FROM spool"


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
    await store.core.carry_out(finished(spool))
    assert (await counted(store, CHUNKS), await counted(store, SPOOLS)) == (0, 0)


async def finished(spool: object) -> None:
    """Wait for the removal."""
    await spool._removing  # type: ignore[attr-defined]


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
