"""The store of one process has no other process for its failures."""

import asyncio

from restante.store.failure_store import FailureNews, NoFailuresElsewhere


def test_nothing_is_told_and_nothing_is_news() -> None:
    async def tell() -> None:
        await store.tell([FailureNews("login", b"x", 1)])
        assert await store.news() == []

    store = NoFailuresElsewhere()
    assert not store.is_shared
    asyncio.run(tell())
