"""Makes reports: fetches the facts that the pure builder needs from store, clock and chance."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from secrets import token_hex

from restante.dsn.report_text import ReportingMta, make_report
from restante.mail.delivery_report import NewReport, ReportFacts
from restante.mail.first_line import set_off
from restante.mail.message import HeldMessage, message_name
from restante.mail.received_field import HEADER_OCTETS
from restante.store.content_store import ContentStore
from restante.store.store_errors import StoreError
from restante.telemetry.event_bus import Log
from restante.telemetry.events import InternalError, ReportMade
from restante.telemetry.work_word import WorkWord


class DsnWriter:
    """Makes reports, and announces those that were stored."""

    def __init__(
        self,
        content: ContentStore,
        hostname: str,
        now: Callable[[], float],
        log: Log | None = None,
    ) -> None:
        self._content = content
        self._log = log
        self._now = now
        self.hostname = hostname
        self._stored_listeners: list[Callable[[], None]] = []

    def on_stored(self, listener: Callable[[], None]) -> None:
        """Call this whenever reports have been stored."""
        self._stored_listeners.append(listener)

    async def make(self, message: HeldMessage, facts: ReportFacts) -> NewReport:
        """Make a report on a message."""
        mta = ReportingMta(self.hostname, self._now(), lambda: token_hex(12))
        beginning = await self._beginning(message)
        # As it is handed over: no text of a stranger stands within our own field.
        head = set_off(message.head, beginning, message_name(message.number), self.hostname)
        beginning = head + beginning[len(message.head) :]
        return make_report(message._replace(head=head), facts, beginning, mta)

    async def make_all(self, facts: Iterable[tuple[HeldMessage, ReportFacts]]) -> list[NewReport]:
        """Make several.

        One that cannot be made is left out, because its outcome must still be settled.
        """
        made = []
        for message, one in facts:
            try:
                made.append(await self.make(message, one))
            except Exception as error:  # noqa: BLE001  else it would be sent again and again
                self._tell_defect(message, error)
        return made

    async def _beginning(self, message: HeldMessage) -> bytes:
        beginning = message.head[:HEADER_OCTETS]
        if message.file is not None and b"\r\n\r\n" not in beginning:
            with suppress(StoreError):  # damaged: use the part of the header section that there is
                beginning += await self._content.read_beginning(message.file, HEADER_OCTETS)
        return beginning

    def _tell_defect(self, message: HeldMessage, error: Exception) -> None:
        if self._log is not None:
            self._log.publish(
                InternalError(
                    error=error, doing=WorkWord.REPORT, message=message_name(message.number)
                )
            )

    def stored(self, reports: Sequence[NewReport]) -> None:
        """Log reports that are durable, and have them sent."""
        for report in reports:
            if self._log is not None:
                self._log.publish(
                    ReportMade(
                        message=message_name(report.about),
                        action=str(report.action),
                        recipients=len(report.forward_paths),
                    )
                )
        if reports:
            for listener in self._stored_listeners:
                listener()
