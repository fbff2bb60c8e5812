"""The store does not mind which event loop it is on."""

import asyncio

import pytest

from restante.store.sqlite import SqliteStore
from restante.store.store_errors import Conflict
from tests.contract.making import (
    content,
    delivered,
    held_numbers,
    hold,
    hosted,
    message,
    opened,
    spooled,
)
from tests.contract.running import LOOPS


@pytest.fixture(params=LOOPS)
def loop_kind(request: pytest.FixtureRequest) -> str:
    """Each in turn."""
    return str(request.param)


async def test_a_message_walks_through(store: SqliteStore) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, b"x" * 100_000)
    await store.reception.hold([message(1, domain_id), message(2, domain_id, file=file)])
    drain = await opened(store, domain_id, 0.0, 60.0)
    assert await held_numbers(store, domain_id) == [1, 2]
    assert await content(store.content.read_file(file)) == b"x" * 100_000
    await store.handover.settle(drain, [delivered(1), delivered(2)])
    await store.handover.close_drain(drain)
    assert store.figures.usages() == {}


async def test_many_wait_at_once_and_some_are_given_up(store: SqliteStore) -> None:
    domain_id = await hosted(store)
    tasks = [asyncio.ensure_future(hold(store, domain_id, number)) for number in range(1, 101)]
    await asyncio.sleep(0)
    for task in tasks[::10]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(result is None for result in results) == 90
    assert len(await held_numbers(store, domain_id)) == 100


async def test_errors_come_back(store: SqliteStore) -> None:
    with pytest.raises(Conflict):
        await opened(store, 77, 0.0, 60.0)
