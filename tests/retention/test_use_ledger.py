"""The use of accounts is added up before it is written."""

import asyncio

from restante.queue.monthly_use import Use, UseMonth
from restante.retention.use_ledger import UseLedger
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from tests.contract.making import hosted

NOVEMBER = 1_794_000_000.0
DECEMBER = NOVEMBER + 31 * 86400


def test_uses_of_a_month_are_one_row() -> None:
    async def story() -> None:
        store = MemoryStore()
        await hosted(store)
        directory = LiveDirectory(store.records)
        await directory.refresh()
        added_at = int(directory.now.accounts["alpha"].created_at)
        now = NOVEMBER
        ledger = UseLedger(store.uses, directory, lambda: now)
        ledger.add(["alpha", "nobody"], Use(received=1))
        ledger.add(["alpha"], Use(received=2))
        now = DECEMBER
        ledger.add(["alpha"], Use(received=4))
        await ledger.write()
        await ledger.write()
        assert store.state.uses == {
            UseMonth("alpha", added_at, 202611): Use(received=3),
            UseMonth("alpha", added_at, 202612): Use(received=4),
        }

    asyncio.run(story())
