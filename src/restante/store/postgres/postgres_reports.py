"""The part of the store on PostgreSQL that keeps reports."""

from collections.abc import Mapping, Sequence
from functools import partial

from restante.mail.delivery_report import NewReport, Report, ReportAction
from restante.mail.message import HeldMessage
from restante.queue.fair_order import DueReport, target_of
from restante.queue.report_lanes import NONE_OCCUPIED, OccupiedLanes
from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.postgres import report_changing, report_statements
from restante.store.postgres.due_reading import due_reports
from restante.store.postgres.held_reading import MessagesFound, take
from restante.store.postgres.path_pattern import regular_expression
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.report_store import ReportFilter, WaitingReport
from restante.store.stored_form.rows import waiting_report
from restante.tenancy.audit import AuditEntry


class PostgresReports:
    """A `ReportStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def due_reports(
        self, now: float, limit: int, max_octets: int, occupied: OccupiedLanes = NONE_OCCUPIED
    ) -> list[Report]:
        """Return the reports whose next attempt is due and for which a lane is free."""
        question = partial(
            due_reports, now=now, limit=limit, max_octets=max_octets, occupied=occupied
        )
        return await self._core.read(question)

    async def next_report_at(self) -> float | None:
        """Return when the next attempt on any report is due."""
        [(at,)] = await self._core.fetch(report_statements.NEXT_AT)
        return None if at is None else float(at)

    async def report_backlog(self) -> Backlog:
        """Return how many reports wait, and since when."""
        [row] = await self._core.fetch(report_statements.BACKLOG)
        return Backlog(*row)

    async def success_reports(self) -> list[DueReport]:
        """Return all waiting reports of success, in the order in which they were made."""
        return [
            DueReport(number, ReportAction.RELAYED, account, target_of(path))
            for number, account, path in await self._core.fetch(report_statements.SUCCESS)
        ]

    async def settle_reports(self, outcomes: Sequence[SendingOutcome]) -> None:
        """Record the outcomes of these reports."""
        change = partial(
            report_changing.settle_sending,
            outcomes=outcomes,
            remove=report_statements.REMOVE,
            put_off=report_statements.PUT_OFF,
        )
        await self._core.write(change)

    async def hasten_reports(self, at: float, beyond: float) -> None:
        """Have those tried soon that wait for too long."""

        async def change(transaction: PostgresTransaction) -> None:
            await transaction.fetch(report_statements.HASTEN, at, beyond)

        await self._core.write(change)

    async def list_reports(self, selection: ReportFilter) -> list[WaitingReport]:
        """Return the reports that match, by number."""
        pattern = selection.reverse_path
        rows = await self._core.fetch(
            report_statements.LIST,
            selection.after,
            selection.domain_ids,
            None if pattern is None else regular_expression(pattern),
            selection.numbers or None,
            selection.limit,
        )
        return [
            WaitingReport(number, about, domain_id, ReportAction(action), *rest)
            for number, about, domain_id, action, *rest in rows
        ]

    async def report(self, number: int) -> Report | None:
        """Return a report, None if it does not wait."""
        rows = await self._core.fetch(report_statements.ONE, number)
        return waiting_report(tuple(rows[0])) if rows else None

    async def sealed_reports(self, after: int, limit: int) -> list[Report]:
        """Return the next sealed reports by number, sealed as they are stored."""
        rows = await self._core.fetch(report_statements.SEALED, after, limit)
        return [waiting_report(tuple(row)) for row in rows]

    async def plain_reports(self, after: int, limit: int) -> list[Report]:
        """Return the next reports by number that are not sealed."""
        rows = await self._core.fetch(report_statements.PLAIN, after, limit)
        return [waiting_report(tuple(row)) for row in rows]

    async def replace_report_contents(self, again: Mapping[int, tuple[bytes, bytes]]) -> int:
        """Replace contents by the same ones, sealed again; return how many."""
        if not again:
            return 0
        return await self._core.write(partial(report_changing.replace_contents, again=again))

    async def drop_reports(self, numbers: Sequence[int], audit: AuditEntry) -> list[int]:
        """Remove reports; returns the numbers of those that were there."""
        change = partial(report_changing.drop, numbers=numbers, audit=audit)
        return await self._core.write(change)

    async def late_messages(self, received_before: float, limit: int) -> list[HeldMessage]:
        """Return messages whose sender is still owed a report of delay, oldest first."""
        found = MessagesFound([], [])
        for row in await self._core.fetch(report_statements.LATE, received_before, limit):
            take(row, found)
        return found.messages

    async def tell_of_delay(self, numbers: Sequence[int], reports: Sequence[NewReport]) -> None:
        """Store the reports, and note that these messages' senders were told."""
        change = partial(report_changing.tell_of_delay, numbers=numbers, reports=reports)
        await self._core.write(change)
