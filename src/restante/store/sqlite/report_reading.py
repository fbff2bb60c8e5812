"""Questions about reports that wait, on a reading thread."""

import json
from typing import Final

import apsw

from restante.mail.delivery_report import Report, ReportAction
from restante.queue.fair_order import DueReport, fair_order, target_of
from restante.queue.report_lanes import NONE_OCCUPIED, OccupiedLanes
from restante.store.report_store import ReportFilter, WaitingReport
from restante.store.sqlite import report_queries
from restante.store.sqlite.engine import fetch
from restante.store.stored_form.rows import (
    numbers_text,
    waiting_report,
)

_DUE_LOOKED_AT: Final = 5_000  # reports of a kind among which turns are shared


def due_reports(
    connection: apsw.Connection,
    now: float,
    limit: int,
    max_octets: int,
    occupied: OccupiedLanes = NONE_OCCUPIED,
) -> list[Report]:
    """Read the reports that are due and for which a lane is free, in fair order."""
    due: list[DueReport] = []
    for action in (ReportAction.FAILED, ReportAction.DELAYED, ReportAction.RELAYED):
        if len(due) < limit:
            due += filter(lambda one: occupied.admit(one.use), _due(connection, now, action))
    found: list[Report] = []
    octets = 0
    for number in fair_order(due, occupied.turns)[:limit]:
        found += [
            waiting_report(row) for row in fetch(connection, report_queries.REPORT, (number,))
        ]
        octets += len(found[-1].content) if found else 0
        if octets >= max_octets:
            break
    return found


def _due(connection: apsw.Connection, now: float, action: ReportAction) -> list[DueReport]:
    """Read some of the reports of a kind that are due: of every account, and of many targets."""
    given = (now, action, _DUE_LOOKED_AT)
    rows = list(fetch(connection, report_queries.DUE_REPORTS, given))
    if len(rows) == _DUE_LOOKED_AT:
        rows = list(fetch(connection, report_queries.DUE_REPORTS_IN_TURN, given))
    return [
        DueReport(number, action, account, target_of(path), bool(failures))
        for number, account, path, failures in rows
    ]


def success_reports(connection: apsw.Connection) -> list[DueReport]:
    """Read the reports of success that wait, without their content."""
    rows = sorted(fetch(connection, report_queries.SUCCESS_REPORTS))
    return [
        DueReport(number, ReportAction.RELAYED, account, target_of(path))
        for number, account, path in rows
    ]


def reports(connection: apsw.Connection, selection: ReportFilter) -> list[WaitingReport]:
    """Read a listing of reports."""
    bindings = {
        "after": selection.after,
        "domain_ids": None if selection.domain_ids is None else json.dumps(selection.domain_ids),
        "pattern": selection.reverse_path,
        "numbers": numbers_text(selection.numbers) if selection.numbers else None,
        "limit": selection.limit,
    }
    return [
        WaitingReport(number, about, domain_id, ReportAction(action), *rest)
        for number, about, domain_id, action, *rest in fetch(
            connection, report_queries.LIST_REPORTS, bindings
        )
    ]


def one_report(connection: apsw.Connection, number: int) -> Report | None:
    """Read a report, None if it does not wait."""
    rows = fetch(connection, report_queries.REPORT, (number,))
    return waiting_report(rows[0]) if rows else None


def sealed_reports(connection: apsw.Connection, after: int, limit: int) -> list[Report]:
    """Read the next sealed reports by number."""
    rows = fetch(connection, report_queries.SEALED_REPORTS, (after, limit))
    return [waiting_report(row) for row in rows]


def plain_reports(connection: apsw.Connection, after: int, limit: int) -> list[Report]:
    """Read the next reports by number that are not sealed."""
    rows = fetch(connection, report_queries.PLAIN_REPORTS, (after, limit))
    return [waiting_report(row) for row in rows]


def next_report_at(connection: apsw.Connection) -> float | None:
    """Read when the next report is due."""
    at: float | None = fetch(connection, report_queries.NEXT_REPORT_AT)[0][0]
    return at
