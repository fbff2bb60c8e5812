"""A store of one server has no nodes."""

import asyncio

from restante.store.single_node import SingleNode


def test_there_is_nobody_to_retire_or_to_remove() -> None:
    async def story() -> None:
        nodes = SingleNode()
        assert await nodes.nodes() == []
        assert not await nodes.retire("any")
        assert not await nodes.remove("any")
        assert not nodes.is_retiring

    asyncio.run(story())
