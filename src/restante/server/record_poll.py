"""Takes note of the records that another process on the same store has changed, once a second.

A change by this process is applied by its author, before anybody is told that it is done.
"""

from typing import Final

from restante.background.clocks import Wait, wait_at_most
from restante.background.rounds import Rounds
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.telemetry.event_bus import Log
from restante.telemetry.work_word import WorkWord

POLL_SECONDS: Final = 1.0


class RecordPoll:
    """The one task that asks for changes. If none came, that is one short query."""

    def __init__(
        self,
        directory: LiveDirectory,
        recipients: LiveRecipients,
        log: Log,
        wait: Wait = wait_at_most,
    ) -> None:
        self._directory = directory
        self._recipients = recipients
        self._rounds = Rounds(log, WorkWord.READ_RECORDS, wait, after_failure=POLL_SECONDS)

    async def run(self) -> None:
        """Poll until cancelled."""
        await self._rounds.run_rounds(self._take_round)

    async def _take_round(self) -> float:
        await self._directory.refresh()
        await self._recipients.catch_up()
        return POLL_SECONDS
