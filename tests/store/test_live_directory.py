"""The records in memory: each reader sees one moment, and listeners are called after a change."""

import asyncio

from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from tests.contract.making import NOTED, account, hosted


def test_a_reader_keeps_its_moment_and_listeners_see_the_new_one() -> None:
    async def story() -> None:
        store = MemoryStore()
        live = LiveDirectory(store.records)
        seen: list[set[str]] = []
        for _ in range(2):
            live.on_change(lambda: seen.append(set(live.now.accounts)))
        before = live.now
        await hosted(store)
        assert live.now is before
        await live.refresh()
        await store.records.put_account(account("beta"), NOTED)
        await live.refresh()
        assert seen == [{"alpha"}, {"alpha"}, {"alpha", "beta"}, {"alpha", "beta"}]
        assert (before.accounts, set(live.now.domains)) == ({}, {"alpha.example"})

    asyncio.run(story())
