"""The task that takes note of other processes' changes."""

import asyncio

from restante.server.record_poll import APART_SECONDS, POLL_SECONDS, RecordPoll
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.store.memory import MemoryStore
from restante.telemetry.events import StoreFailed
from tests.away_store import AwayStore
from tests.contract.making import NOTED, account
from tests.log_lines import Lines


def test_it_polls_once_a_second_and_goes_on_after_a_failure() -> None:
    async def story() -> None:
        store, log = AwayStore(), Lines()
        directory = LiveDirectory(store.records)
        await directory.refresh()
        waits: list[tuple[float, list[str]]] = []

        async def wait(_event: asyncio.Event, seconds: float) -> None:
            if seconds == APART_SECONDS:
                return
            waits.append((seconds, list(directory.now.accounts)))
            store.absence = "out of reach" if len(waits) == 2 else ""
            if len(waits) == 1:
                await store.records.put_account(account(), NOTED)
            if len(waits) == 3:
                await store.records.put_account(account("beta"), NOTED)
            if len(waits) == 4:
                raise asyncio.CancelledError

        recipients = LiveRecipients(store.recipients, directory)
        poll = RecordPoll(store.records, directory, recipients, log, wait)
        await asyncio.gather(poll.run(), return_exceptions=True)
        assert waits == [
            (POLL_SECONDS, []),
            (POLL_SECONDS, ["alpha"]),
            (POLL_SECONDS, ["alpha"]),
            (POLL_SECONDS, ["alpha", "beta"]),
        ]
        assert len(log.of(StoreFailed)) == 1

    asyncio.run(story())


def test_it_asks_at_once_when_the_store_hears_of_a_change() -> None:
    async def story() -> None:
        state = MemoryStore().state
        mine, others = MemoryStore(state), MemoryStore(state)
        directory = LiveDirectory(mine.records)
        is_told = asyncio.Event()
        directory.on_change(is_told.set)
        waiting = asyncio.Event()

        async def wait(event: asyncio.Event, seconds: float) -> None:
            if seconds == APART_SECONDS:
                return
            waiting.set()
            await event.wait()  # no time passes

        recipients = LiveRecipients(mine.recipients, directory)
        poll = RecordPoll(mine.records, directory, recipients, Lines(), wait)
        running = asyncio.create_task(poll.run())
        await waiting.wait()
        is_told.clear()
        await others.records.put_account(account(), NOTED)
        await is_told.wait()
        assert list(directory.now.accounts) == ["alpha"]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())
