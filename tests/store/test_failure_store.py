"""The store of one process has no other process for its failures."""

import asyncio

from restante.store.failure_store import FailureChange, NoFailuresElsewhere


def test_nothing_is_told_and_nothing_is_changes() -> None:
    async def tell() -> None:
        await store.tell([FailureChange("login", b"x", 1)])
        assert await store.recent() == []

    store = NoFailuresElsewhere()
    assert not store.is_shared
    asyncio.run(tell())
