"""The mail of each account is counted by month."""

import asyncio
from collections.abc import Sequence

import pytest

from restante.background.rounds import Rounds
from restante.queue.monthly_use import AccountUse, MonthlyUse
from restante.retention.use_ledger import UseLedger
from restante.retention.use_recorder import STORE_SECONDS, UseRecorder
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.store.memory.memory_uses import MemoryUses
from restante.store.store_errors import StoreFull
from restante.store.use_store import UseBatch
from restante.telemetry.use_counts import UseInbox
from restante.telemetry.work_word import WorkWord
from tests.contract.making import hosted
from tests.log_lines import Lines
from tests.telemetry.test_use_counts import delivered, held

NOVEMBER = 1_794_000_000.0


class FailingUses(MemoryUses):
    """Cannot write at first."""

    fails = True

    async def add_uses(self, uses: Sequence[MonthlyUse], batch: UseBatch | None = None) -> None:
        if self.fails:
            raise StoreFull("no room")
        await super().add_uses(uses, batch)


async def recorder(store: MemoryStore, uses: MemoryUses) -> tuple[UseInbox, UseRecorder]:
    await hosted(store)
    await hosted(store, "other.example")
    directory = LiveDirectory(store.records)
    await directory.refresh()
    inbox = UseInbox()
    ledger = UseLedger(uses, directory, lambda: NOVEMBER)
    return inbox, UseRecorder(inbox, ledger, directory, Rounds(Lines(), WorkWord.ACCOUNT_USE))


def stored(store: MemoryStore) -> dict[tuple[str, int], AccountUse]:
    return {(of.account, of.month): use for of, use in store.state.uses.items()}


def test_mail_is_counted_for_the_accounts_of_its_domains() -> None:
    async def story() -> None:
        store = MemoryStore()
        inbox, recording = await recorder(store, store.uses)
        inbox.hear_held(held("alpha.example", "other.example", octets=70))
        inbox.hear_held(held("alpha.example", octets=30))
        inbox.hear_delivered(delivered("other.example"))
        assert await recording.record() == STORE_SECONDS
        assert stored(store) == {("alpha", 202611): AccountUse(2, 100, 1)}

    asyncio.run(story())


def test_mail_of_a_removed_domain_counts_for_nobody() -> None:
    async def story() -> None:
        store = MemoryStore()
        inbox, recording = await recorder(store, store.uses)
        inbox.hear_held(held("gone.example"))
        inbox.hear_delivered(delivered("gone.example"))
        await recording.record()
        assert stored(store) == {}

    asyncio.run(story())


def test_nothing_is_lost_or_counted_twice_when_the_store_fails() -> None:
    async def story() -> None:
        store = MemoryStore()
        uses = FailingUses(store.state)
        inbox, recording = await recorder(store, uses)
        inbox.hear_held(held("alpha.example", octets=30))
        with pytest.raises(StoreFull):
            await recording.record()
        inbox.hear_held(held("alpha.example", octets=5))
        uses.fails = False
        await recording.record()
        await recording.record()
        assert stored(store) == {("alpha", 202611): AccountUse(2, 35)}

    asyncio.run(story())


def test_the_end_of_the_server_writes_what_is_left() -> None:
    async def story() -> None:
        store = MemoryStore()
        inbox, recording = await recorder(store, store.uses)
        running = asyncio.create_task(recording.run())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        inbox.hear_held(held("alpha.example", octets=30))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert stored(store) == {("alpha", 202611): AccountUse(1, 30)}

    asyncio.run(story())
