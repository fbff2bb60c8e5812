"""Properties of the memory store alone."""

import asyncio
from pathlib import Path

import pytest

from restante.store.memory import MemoryStore
from restante.store.store_errors import CareUnsupported
from tests.contract.making import delivered, held_numbers, hosted, message, opened, spooled


async def test_a_message_gone_takes_its_file_along(runner: asyncio.Runner) -> None:
    store = MemoryStore()
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id, file=await spooled(store, b"content"))])
    await store.handover.settle(await opened(store, domain_id, 0.0, 60.0), [delivered(1)])
    assert store.state.files == {}


async def test_discarded_content_leaves_nothing(runner: asyncio.Runner) -> None:
    store = MemoryStore()
    spool = store.reception.open_spool()
    await spool.write(b"content")
    await spool.close()
    spool.discard()
    assert store.state.files == {}


async def test_a_message_can_come_behind_one_with_a_higher_number(runner: asyncio.Runner) -> None:
    """As in a store of several nodes, which this one is a model of."""
    store = MemoryStore()
    domain_id = await hosted(store)
    await store.reception.hold([message(9, domain_id)])
    await store.reception.hold([message(5, domain_id), message(7, domain_id)])
    assert await held_numbers(store, domain_id) == [5, 7, 9]
    assert await store.figures.oldest() == {domain_id: 5.0}
    assert store.reception.numbers().next(0.0) == 10


async def test_there_is_nothing_to_back_up(runner: asyncio.Runner, tmp_path: Path) -> None:
    with pytest.raises(CareUnsupported, match=r"nothing to copy; .* `restante queue export`"):
        await MemoryStore().upkeep.backup(tmp_path)
