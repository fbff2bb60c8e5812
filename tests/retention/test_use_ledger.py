"""The use of accounts is added up before it is written."""

import asyncio
from collections.abc import Sequence

import pytest

from restante.queue.monthly_use import AccountUse, MonthlyUse, UseMonth
from restante.retention.use_ledger import UseLedger
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.store.memory.memory_uses import MemoryUses
from restante.store.store_errors import StoreError
from restante.store.use_store import UseBatch
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
        ledger.add(["alpha", "nobody"], AccountUse(received=1))
        ledger.add(["alpha"], AccountUse(received=2))
        now = DECEMBER
        ledger.add(["alpha"], AccountUse(received=4))
        await ledger.write()
        await ledger.write()
        assert store.state.uses == {
            UseMonth("alpha", added_at, 202611): AccountUse(received=3),
            UseMonth("alpha", added_at, 202612): AccountUse(received=4),
        }

    asyncio.run(story())


class ForgetfulUses(MemoryUses):
    """Adds uses, and loses the answer at first."""

    losses = 2

    async def add_uses(self, uses: Sequence[MonthlyUse], batch: UseBatch | None = None) -> None:
        await super().add_uses(uses, batch)
        if self.losses:
            self.losses -= 1
            raise StoreError("the database was lost in a commit")


def test_uses_whose_answer_was_lost_are_counted_once() -> None:
    async def story() -> None:
        store = MemoryStore()
        await hosted(store)
        directory = LiveDirectory(store.records)
        await directory.refresh()
        ledger = UseLedger(ForgetfulUses(store.state), directory, lambda: NOVEMBER)
        ledger.add(["alpha"], AccountUse(received=1))
        for _ in range(ForgetfulUses.losses):
            with pytest.raises(StoreError):
                await ledger.write()
            ledger.add(["alpha"], AccountUse(received=10))
        await ledger.write()
        assert list(store.state.uses.values()) == [AccountUse(received=21)]

    asyncio.run(story())
