"""The records in memory: each reader sees one moment, and listeners are called after a change."""

import asyncio
from typing import Any
from unittest.mock import patch

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


def test_callers_that_wait_share_the_next_refresh() -> None:
    async def story() -> None:
        store = MemoryStore()
        live = LiveDirectory(store.records)
        await live.refresh()
        first, go_on, asked = asyncio.Event(), asyncio.Event(), 0
        changes_since = store.records.changes_since

        async def slowly(number: int) -> Any:
            nonlocal asked
            asked += 1
            found = await changes_since(number)
            first.set()
            await go_on.wait()
            return found

        with patch.object(store.records, "changes_since", slowly):
            calls = [asyncio.create_task(live.refresh())]
            await first.wait()  # its answer is of the time before the change
            await store.records.put_account(account("late"), NOTED)
            calls += [asyncio.create_task(live.refresh()) for _ in range(5)]
            await asyncio.sleep(0)
            go_on.set()
            await asyncio.gather(*calls)
        assert asked == 2
        assert "late" in live.now.accounts

    asyncio.run(story())
