"""Takes note of the records that another process on the same store has changed.

It asks once a second, and at once when the store notifies it of a change.

A change by this process is applied by its author, before anybody is told that it is done.
"""

from typing import Final

from restante.background.clocks import Wait, wait_at_most
from restante.background.rounds import Rounds
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.store.record_store import RecordStore
from restante.telemetry.event_bus import Log
from restante.telemetry.work_word import WorkWord

POLL_SECONDS: Final = 1.0
APART_SECONDS: Final = 0.05  # between two questions, however many changes come


class RecordPoll:
    """The one task that asks for changes. If none came, that is one short query."""

    def __init__(
        self,
        records: RecordStore,
        directory: LiveDirectory,
        recipients: LiveRecipients,
        log: Log,
        wait: Wait = wait_at_most,
    ) -> None:
        self._directory = directory
        self._recipients = recipients
        self._rounds = Rounds(log, WorkWord.READ_RECORDS, wait, after_failure=POLL_SECONDS)
        records.on_change(self._rounds.wake)

    async def run(self) -> None:
        """Poll until cancelled."""
        await self._rounds.run_rounds(self._take_round, apart=APART_SECONDS)

    async def _take_round(self) -> float:
        await self._directory.refresh()
        await self._recipients.catch_up()
        return POLL_SECONDS
