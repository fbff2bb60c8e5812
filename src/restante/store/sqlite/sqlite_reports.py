"""The part of the store that keeps reports."""

from collections.abc import Mapping, Sequence
from functools import partial

from restante.mail.delivery_report import NewReport, Report
from restante.mail.message import HeldMessage
from restante.queue.fair_order import DueReport
from restante.queue.report_lanes import NONE_OCCUPIED, OccupiedLanes
from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.report_store import ReportFilter, WaitingReport
from restante.store.sqlite import (
    mail_reading,
    report_changes,
    report_queries,
    report_reading,
    sending_outcome_changes,
)
from restante.store.sqlite.store_core import StoreCore
from restante.tenancy.audit import AuditEntry


class SqliteReports:
    """A `ReportStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def due_reports(
        self, now: float, limit: int, max_octets: int, occupied: OccupiedLanes = NONE_OCCUPIED
    ) -> list[Report]:
        """Return the reports whose next attempt is due and for which a lane is free."""
        return await self._core.read(
            partial(
                report_reading.due_reports,
                now=now,
                limit=limit,
                max_octets=max_octets,
                occupied=occupied,
            )
        )

    async def next_report_at(self) -> float | None:
        """Return when the next attempt on any report is due."""
        return await self._core.read(report_reading.next_report_at)

    async def report_backlog(self) -> Backlog:
        """Return how many reports wait, and since when."""
        return await self._core.read(
            partial(mail_reading.backlog, query=report_queries.REPORT_BACKLOG)
        )

    async def success_reports(self) -> list[DueReport]:
        """Return all waiting reports of success, in the order in which they were made."""
        return await self._core.read(report_reading.success_reports)

    async def settle_reports(self, outcomes: Sequence[SendingOutcome]) -> None:
        """Record the outcomes of these reports."""
        change = partial(
            sending_outcome_changes.settle_sending,
            remove=report_queries.REMOVE_REPORT,
            put_off=report_queries.PUT_REPORT_OFF,
        )
        await self._core.write(partial(change, outcomes=outcomes))

    async def hasten_reports(self, at: float, beyond: float) -> None:
        """Have those tried soon that wait for too long."""
        await self._core.write(partial(report_changes.hasten, at=at, beyond=beyond))

    async def list_reports(self, selection: ReportFilter) -> list[WaitingReport]:
        """Return the reports that match, by number."""
        return await self._core.read(partial(report_reading.reports, selection=selection))

    async def report(self, number: int) -> Report | None:
        """Return a report, None if it does not wait."""
        return await self._core.read(partial(report_reading.one_report, number=number))

    async def sealed_reports(self, after: int, limit: int) -> list[Report]:
        """Return the next sealed reports by number, sealed as they are stored."""
        reading = partial(report_reading.sealed_reports, after=after, limit=limit)
        return await self._core.read(reading)

    async def plain_reports(self, after: int, limit: int) -> list[Report]:
        """Return the next reports by number that are not sealed."""
        reading = partial(report_reading.plain_reports, after=after, limit=limit)
        return await self._core.read(reading)

    async def replace_report_contents(self, again: Mapping[int, tuple[bytes, bytes]]) -> int:
        """Replace contents by the same ones, sealed again; return how many."""
        count: int = await self._core.write(partial(report_changes.replace_contents, again=again))
        return count

    async def drop_reports(self, numbers: Sequence[int], audit: AuditEntry) -> list[int]:
        """Remove reports; returns the numbers of those that were there."""
        dropped: list[int] = await self._core.write(
            partial(report_changes.drop, numbers=numbers, audit=audit)
        )
        return dropped

    async def late_messages(self, received_before: float, limit: int) -> list[HeldMessage]:
        """Return messages whose sender is still owed a report of delay, oldest first."""
        return await self._core.read(
            partial(mail_reading.late_messages, received_before=received_before, limit=limit)
        )

    async def tell_of_delay(self, numbers: Sequence[int], reports: Sequence[NewReport]) -> None:
        """Store the reports, and note that these messages' senders were told."""
        await self._core.write(
            partial(report_changes.tell_of_delay, numbers=numbers, reports=reports)
        )
