"""Large content, in files of its own."""

import asyncio
import os
import zlib
from collections.abc import AsyncIterator

import pytest

from restante.mail.message import ContentFile
from restante.queue.recipient_status import RecipientStatus
from restante.store.content_store import DAMAGED
from restante.store.interface import Store
from restante.store.queue_store import QueueFilter
from restante.store.store_errors import Damaged, StoreError
from tests.contract.conftest import WITH_OBJECTS
from tests.contract.making import all_held, content, delivered, hosted, message, opened, spooled

BIG = os.urandom(300_000) * 2


@pytest.fixture(params=(*WITH_OBJECTS, "sealed"))
def implementation(request: pytest.FixtureRequest) -> str:
    """Which store."""
    return str(request.param)


async def keep_blocks(got: list[bytes], blocks: AsyncIterator[bytes]) -> None:
    """Keep what comes, however it ends."""
    async for block in blocks:
        got.append(block)  # noqa: PERF401  what came before an error is the point


async def read_while_there(store: Store, file: ContentFile) -> None:
    """Read a file, until there is none."""
    while await store.content.read_beginning(file, 1):
        await store.upkeep.remove_left_content()


async def test_content_comes_back_as_it_was_written(store: Store) -> None:
    file = await spooled(store, BIG[:7], BIG[7:300_000], BIG[300_000:])
    assert file.size == len(BIG)
    assert file.seal or file.crc32 == zlib.crc32(BIG)
    assert await content(store.content.read_file(file)) == BIG


@pytest.mark.parametrize("before", [0, 7, 300_000])
async def test_the_rest_of_content_may_come_with_its_end(store: Store, before: int) -> None:
    spool = store.reception.open_spool()
    if before:
        await spool.write(BIG[:before])
    file = await spool.close(BIG[before:])
    assert file.size == len(BIG)
    assert file.seal or file.crc32 == zlib.crc32(BIG)
    assert await content(store.content.read_file(file)) == BIG


async def test_content_comes_in_blocks(store: Store) -> None:
    file = await spooled(store, BIG)
    sizes = [len(block) async for block in store.content.read_file(file)]
    assert max(sizes) == 262144
    assert sum(sizes) == len(BIG)


@pytest.mark.parametrize(
    ("octets", "got"), [(1, 1), (70_000, 70_000), (len(BIG), len(BIG)), (1 << 20, len(BIG))]
)
async def test_the_beginning_of_content_can_be_read_alone(
    store: Store, octets: int, got: int
) -> None:
    file = await spooled(store, BIG)
    assert await store.content.read_beginning(file, octets) == BIG[:got]


async def test_empty_content_is_content(store: Store) -> None:
    file = await spooled(store)
    assert file.size == 0
    assert await content(store.content.read_file(file)) == b""


async def test_a_held_message_names_its_file(store: Store) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, BIG)
    await store.reception.hold([message(1, domain_id, head=b"Received: \r\n", file=file)])
    [held] = await all_held(store, domain_id)
    assert held.file == file
    assert held.size == 12 + len(BIG)
    assert store.figures.usage(domain_id).octets == held.size


async def test_a_duplicate_outlives_the_original(store: Store) -> None:
    domain_id = await hosted(store)
    drain = await opened(store, domain_id, 0.0, 60.0)
    file = await spooled(store, BIG)
    copy = await store.reception.duplicate(file)
    assert copy.name != file.name
    await store.reception.hold([message(1, domain_id, file=file), message(2, domain_id, file=copy)])
    await store.handover.settle(drain, [delivered(1)])
    assert await content(store.content.read_file(copy)) == BIG


async def test_a_duplicate_that_is_discarded_leaves_the_original(store: Store) -> None:
    file = await spooled(store, BIG)
    copy = await store.reception.duplicate(file)
    store.reception.discard(copy)
    with pytest.raises((StoreError, Damaged)):
        await asyncio.wait_for(read_while_there(store, copy), 60)
    assert await content(store.content.read_file(file)) == BIG


async def test_a_missing_file_cannot_be_duplicated(store: Store) -> None:
    with pytest.raises(StoreError):
        await store.reception.duplicate(ContentFile("nothing", 1, 1))


@pytest.mark.parametrize(
    "claimed", [(len(BIG), 0), (len(BIG) + 1, zlib.crc32(BIG)), (1, zlib.crc32(BIG))]
)
async def test_damaged_content_is_never_read_to_its_end(
    store: Store, claimed: tuple[int, int]
) -> None:
    file = await spooled(store, BIG)
    blocks = store.content.read_file(ContentFile(file.name, *claimed))
    got: list[bytes] = []
    with pytest.raises(StoreError):
        await keep_blocks(got, blocks)
    assert sum(map(len, got)) < len(BIG)


async def test_missing_content_is_a_store_error(store: Store) -> None:
    with pytest.raises(StoreError):
        await content(store.content.read_file(ContentFile("0/nothing", 1, 1)))
    with pytest.raises(StoreError):
        await store.content.read_beginning(ContentFile("0/nothing", 1, 1), 1)


@pytest.mark.parametrize(("octets", "got"), [(0, 0), (70_000, 70_000), (1 << 20, len(BIG))])
async def test_content_that_is_proven_is_whole(store: Store, octets: int, got: int) -> None:
    assert await store.content.prove_file(await spooled(store, BIG), octets) == BIG[:got]


@pytest.mark.parametrize("way", ["prove", "read"])
async def test_a_message_whose_content_is_damaged_is_set_apart_alone(
    store: Store, way: str
) -> None:
    domain_id = await hosted(store)
    file, whole = await spooled(store, BIG), await spooled(store, BIG)
    wrong = ContentFile(file.name, file.size, file.crc32 ^ 1)
    await store.reception.hold(
        [
            message(1, domain_id, file=wrong),
            message(2, domain_id, file=whole),
            message(3, domain_id),
        ]
    )
    [claimed] = [one.file for one in await all_held(store, domain_id) if one.number == 1]
    assert claimed is not None
    with pytest.raises(Damaged):
        await (
            store.content.prove_file(claimed, 1)
            if way == "prove"
            else content(store.content.read_file(claimed))
        )
    assert [one.number for one in await all_held(store, domain_id)] == [2, 3]
    [parked] = await store.queue.list_queue(QueueFilter(status=RecipientStatus.DAMAGED))
    assert (parked.number, [who.reply.startswith(DAMAGED) for who in parked.recipients]) == (
        1,
        [True],
    )
    assert store.figures.usage(domain_id).refused == 1


async def test_reading_can_be_given_up(store: Store) -> None:
    file = await spooled(store, BIG)
    async for block in store.content.read_file(file):
        assert block
        break


async def test_a_spool_can_be_discarded_at_any_time_and_more_than_once(store: Store) -> None:
    untouched, begun, finished = (
        store.reception.open_spool(),
        store.reception.open_spool(),
        store.reception.open_spool(),
    )
    await begun.write(BIG)
    await finished.write(BIG)
    file = await finished.close()
    for spool in (untouched, begun, finished, begun):
        spool.discard()
    assert file.size == len(BIG)


async def test_a_spool_can_be_discarded_while_it_is_being_written(store: Store) -> None:
    """A lost connection cancels its pending write, which may go on beside the discarding."""
    spool = store.reception.open_spool()
    await spool.write(b"begun")
    writing = asyncio.ensure_future(spool.write(BIG))
    await asyncio.sleep(0)
    writing.cancel()
    spool.discard()
    await asyncio.gather(writing, return_exceptions=True)


async def test_many_spools_are_written_at_once(store: Store) -> None:
    files = await asyncio.gather(
        *(spooled(store, bytes([number]) * 70_000) for number in range(20))
    )
    read = await asyncio.gather(*(content(store.content.read_file(file)) for file in files))
    assert read == [bytes([number]) * 70_000 for number in range(20)]
