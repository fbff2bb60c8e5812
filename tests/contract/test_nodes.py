"""The servers that share a store; a store of one server has none."""

from restante.store.interface import Store


async def test_a_store_shows_the_servers_that_share_it(store: Store, implementation: str) -> None:
    names = [(node.is_own, node.state, node.drains) for node in await store.nodes.nodes()]
    assert names == ([(True, "serving", 0)] if implementation == "postgres" else [])
    assert not store.nodes.is_retiring


async def test_nobody_of_another_name_is_retired_or_removed(store: Store) -> None:
    assert not await store.nodes.retire("nobody:1")
    assert not await store.nodes.remove("nobody:1")
