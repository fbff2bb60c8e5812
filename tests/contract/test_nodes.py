"""The servers that share a store; a store of one server has none."""

import asyncio

from restante.store.interface import Store


async def test_a_store_shows_the_servers_that_share_it(store: Store, implementation: str) -> None:
    names = [(node.is_own, node.state, node.drains) for node in await store.nodes.nodes()]
    assert names == ([(True, "serving", 0)] if implementation == "postgres" else [])
    assert not store.nodes.is_retiring
    assert store.nodes.risk == ""


async def test_the_clock_of_a_database_is_compared_with_this_machine_s(
    store: Store, implementation: str
) -> None:
    if implementation != "postgres":
        assert store.nodes.clock_offset is None
        return
    async with asyncio.timeout(60):
        while store.nodes.clock_offset is None:  # noqa: ASYNC110  a heartbeat comes each second
            await asyncio.sleep(0.05)
    assert abs(store.nodes.clock_offset) < 60  # it is this machine's too


async def test_nobody_of_another_name_is_retired_or_removed(store: Store) -> None:
    assert not await store.nodes.retire("nobody:1")
    assert not await store.nodes.remove("nobody:1")
