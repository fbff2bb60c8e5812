"""The task that takes note of other processes' changes."""

import asyncio

from restante.server.record_poll import POLL_SECONDS, RecordPoll
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
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
            waits.append((seconds, list(directory.now.accounts)))
            store.absence = "out of reach" if len(waits) == 2 else ""
            if len(waits) == 1:
                await store.records.put_account(account(), NOTED)
            if len(waits) == 3:
                await store.records.put_account(account("beta"), NOTED)
            if len(waits) == 4:
                raise asyncio.CancelledError

        poll = RecordPoll(directory, LiveRecipients(store.recipients, directory), log, wait)
        await asyncio.gather(poll.run(), return_exceptions=True)
        assert waits == [
            (POLL_SECONDS, []),
            (POLL_SECONDS, ["alpha"]),
            (POLL_SECONDS, ["alpha"]),
            (POLL_SECONDS, ["alpha", "beta"]),
        ]
        assert len(log.of(StoreFailed)) == 1

    asyncio.run(story())
