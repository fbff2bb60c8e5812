"""The reports of a store that forgets."""

from collections.abc import Mapping, Sequence

from restante.mail.delivery_report import NewReport, Report
from restante.mail.message import HeldMessage
from restante.queue.fair_order import DueReport
from restante.queue.report_lanes import NONE_OCCUPIED, OccupiedLanes
from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.memory.memory_message import handed_out
from restante.store.memory.memory_state import MemoryState
from restante.store.report_store import ReportFilter, WaitingReport
from restante.tenancy.audit import AuditEntry


class MemoryReports:
    """A `ReportStore`."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state

    async def due_reports(
        self, now: float, limit: int, max_octets: int, occupied: OccupiedLanes = NONE_OCCUPIED
    ) -> list[Report]:
        """Return the reports whose next attempt is due and for which a lane is free."""
        return self._state.reports.due(now, limit, max_octets, self._state.account_of, occupied)

    async def next_report_at(self) -> float | None:
        """Return when the next attempt on any report is due."""
        return self._state.reports.next_at()

    async def report_backlog(self) -> Backlog:
        """Return how many reports wait, and since when."""
        return self._state.reports.backlog()

    async def success_reports(self) -> list[DueReport]:
        """Return all waiting reports of success, in the order in which they were made."""
        return self._state.reports.successes(self._state.account_of)

    async def settle_reports(self, outcomes: Sequence[SendingOutcome]) -> None:
        """Record the outcomes of these reports."""
        self._state.reports.settle(outcomes)

    async def hasten_reports(self, at: float, beyond: float) -> None:
        """Have those tried soon that wait for too long."""
        self._state.reports.hasten(at, beyond)

    async def list_reports(self, selection: ReportFilter) -> list[WaitingReport]:
        """Return the reports that match, by number."""
        return self._state.reports.listed(selection)

    async def report(self, number: int) -> Report | None:
        """Return a report, None if it does not wait."""
        return self._state.reports.one(number)

    async def sealed_reports(self, after: int, limit: int) -> list[Report]:
        """Return the next sealed reports by number, sealed as they are stored."""
        return self._state.reports.stored(after, limit, is_sealed=True)

    async def plain_reports(self, after: int, limit: int) -> list[Report]:
        """Return the next reports by number that are not sealed."""
        return self._state.reports.stored(after, limit, is_sealed=False)

    async def replace_report_contents(self, again: Mapping[int, tuple[bytes, bytes]]) -> int:
        """Replace contents by the same ones, sealed again; return how many."""
        return self._state.reports.replace_contents(again)

    async def drop_reports(self, numbers: Sequence[int], audit: AuditEntry) -> list[int]:
        """Remove reports; returns the numbers of those that were there."""
        self._state.trail.append(audit)
        return self._state.reports.drop(numbers)

    async def late_messages(self, received_before: float, limit: int) -> list[HeldMessage]:
        """Return messages whose sender is still owed a report of delay, oldest first."""
        late = (
            record
            for record in self._state.mail.values()
            if record.message.received_at < received_before
            and record.held
            and record.wants_word_of_delay
        )
        in_order = sorted(
            late, key=lambda record: (record.message.received_at, record.message.number)
        )
        return [handed_out(record, tuple(record.held)) for record in in_order[:limit]]

    async def tell_of_delay(self, numbers: Sequence[int], reports: Sequence[NewReport]) -> None:
        """Store the reports, and note that these messages' senders were told."""
        untold = {
            number
            for number in numbers
            if number in self._state.mail and self._state.mail[number].wants_word_of_delay
        }
        self._state.reports.keep([report for report in reports if report.about in untold])
        for number in untold:
            self._state.mail[number].is_delay_told = True
