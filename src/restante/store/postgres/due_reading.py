"""Reports whose next attempt is due, in fair order."""

from typing import Final

from restante.mail.delivery_report import Report, ReportAction
from restante.queue.fair_order import DueReport, fair_order, target_of
from restante.queue.report_lanes import OccupiedLanes
from restante.store.postgres import report_statements
from restante.store.postgres.database_session import DatabaseSession
from restante.store.stored_form.rows import waiting_report

_DUE_LOOKED_AT: Final = 5_000  # reports of a kind among which turns are shared


async def due_reports(
    session: DatabaseSession, now: float, limit: int, max_octets: int, occupied: OccupiedLanes
) -> list[Report]:
    """Read the reports that are due and for which a lane is free, in fair order."""
    due: list[DueReport] = []
    for action in (ReportAction.FAILED, ReportAction.DELAYED, ReportAction.RELAYED):
        if len(due) < limit:
            due += filter(lambda one: occupied.admit(one.use), await _due(session, now, action))
    found: list[Report] = []
    octets = 0
    for number in fair_order(due, occupied.turns)[:limit]:
        rows = await session.fetch(report_statements.ONE, number)
        found += [waiting_report(tuple(row)) for row in rows]
        octets += sum(len(row[-1]) for row in rows)
        if octets >= max_octets:
            break
    return found


async def _due(session: DatabaseSession, now: float, action: ReportAction) -> list[DueReport]:
    """Read some of the reports of a kind that are due: of every account, and of many targets."""
    given = (now, action, _DUE_LOOKED_AT)
    rows = await session.fetch(report_statements.DUE, *given)
    if len(rows) == _DUE_LOOKED_AT:
        rows = await session.fetch(report_statements.DUE_IN_TURN, *given)
    return [
        DueReport(number, action, account, target_of(path), bool(failures))
        for number, account, path, failures in rows
    ]
