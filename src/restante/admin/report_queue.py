"""Waiting reports: shown, and dropped. The quoted parts of other people's mail are not shown."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from operator import attrgetter
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import announce, checked_reason, entry_about_mail, moment
from restante.admin.domains import find_domain
from restante.admin.held_mail import (
    MAX_NAMES,
    MAX_PATTERN_LENGTH,
    DomainNames,
    HeaderView,
    domain_names,
)
from restante.admin.listing_page import (
    PAGE_ROWS,
    Cursor,
    ListingPage,
    PageLimit,
    number_at,
    page_of,
)
from restante.admin.permissions import AdminAction, permit
from restante.admin.request_bounds import AtMost, LineText
from restante.admin.scope import list_waiting_reports
from restante.mail.message import message_name
from restante.phrases import REPORT_GONE, REPORT_MAY_HAVE_LEFT
from restante.store.report_store import ReportFilter, WaitingReport
from restante.tenancy.audit import AuditAction

_STATUS_PARTS = (
    "message/delivery-status",
    "message/global-delivery-status",
)  # RFC 3464, RFC 6533 §6


class ReportSelection(BaseModel):
    """The reports to list; None means any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domain: str | None = None  # the domain of the reported mail
    to: Annotated[str, Field(min_length=1, max_length=MAX_PATTERN_LENGTH)] | None = (
        None  # pattern: *, ?, […]
    )
    after: Cursor = ""
    limit: PageLimit = PAGE_ROWS


class NamedReports(BaseModel):
    """The reports to drop, and the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    numbers: Annotated[
        tuple[Annotated[int, Field(ge=1, lt=2**63)], ...],
        Field(min_length=1),
        AtMost(MAX_NAMES),
    ]
    reason: LineText = ""


class ReportView(BaseModel):
    """A report in a listing."""

    number: int
    message: str  # the name of the reported message, which may be removed
    domain: str  # the domain of that message, "" if the domain was removed
    action: str
    to: str  # the reverse-path as its recipient
    made_at: datetime
    next_attempt_at: datetime
    failures: int  # attempts so far
    reply: str  # why the last one failed
    size: int  # octets


class FullReportView(ReportView):
    """A report with all its visible details."""

    headers: list[HeaderView]
    status: list[
        list[HeaderView]
    ]  # fields of its machine-readable part: of the message, then of each recipient


class ReportsDropped(BaseModel):
    """The number of dropped reports, and the numbers that were missing."""

    dropped: int
    missing: list[int]


async def list_reports(
    context: AdminContext, selection: ReportSelection
) -> ListingPage[ReportView]:
    """Return the first reports that match, in the order in which they were made.

    Raises AdminError for an unknown domain, and for a bad cursor.
    """
    permit(context.principal, AdminAction.REPORTS_LIST)
    after = number_at(selection.after) or 0
    domain = find_domain(context, selection.domain) if selection.domain else None
    domain_ids = (domain.id,) if domain else None
    wanted = ReportFilter(domain_ids, selection.to, (), after, selection.limit + 1)
    rows = await list_waiting_reports(context, wanted)
    names = domain_names(context)
    return page_of(rows, selection.limit, lambda one: _view(one, names), attrgetter("number"))


async def show_report(context: AdminContext, number: int) -> FullReportView:
    """Return a report with its text. Raises AdminError if it does not exist."""
    permit(context.principal, AdminAction.REPORTS_SHOW)
    listed = await list_waiting_reports(context, ReportFilter(numbers=(number,)))
    report = await context.store.reports.report(number) if listed else None
    if not listed or report is None:
        raise AdminError(
            ErrorKind.NOT_FOUND,
            f"report {number}: {REPORT_GONE}",
            REPORT_MAY_HAVE_LEFT,
        )
    message = BytesParser(EmailMessage, policy=SMTP).parsebytes(report.content)
    return FullReportView(
        **dict(_view(listed[0], domain_names(context))),
        headers=_fields(message),
        status=_status(message),
    )


async def drop_reports(context: AdminContext, named: NamedReports) -> ReportsDropped:
    """Drop reports: their senders are not told. Raises AdminError without a reason.

    A report that is being sent now may still arrive.
    """
    permit(context.principal, AdminAction.REPORTS_DROP)
    checked_reason(named.reason)
    found = await list_waiting_reports(
        context, ReportFilter(numbers=named.numbers, limit=len(named.numbers))
    )
    groups: dict[int, list[WaitingReport]] = defaultdict(list)
    for report in found:
        groups[report.domain_id].append(report)
    dropped: set[int] = set()
    for domain_id, group in groups.items():
        dropped |= await _drop(context, domain_id, group, named.reason)
    missing = [number for number in dict.fromkeys(named.numbers) if number not in dropped]
    return ReportsDropped(dropped=len(dropped), missing=missing)


async def _drop(
    context: AdminContext, domain_id: int, group: Sequence[WaitingReport], reason: str
) -> set[int]:
    """Drop the reports of one domain, with an audit entry of their own.

    An account's trail may not name another's mail.
    """
    about = (report.about for report in group)
    recorded = entry_about_mail(context, AuditAction.REPORTS_DROPPED, domain_id, about, reason)
    dropped = await context.store.reports.drop_reports(
        [report.number for report in group], recorded
    )
    announce(context, recorded)
    return set(dropped)


def _view(report: WaitingReport, names: DomainNames) -> ReportView:
    return ReportView(
        number=report.number,
        message=message_name(report.about),
        domain=names(report.domain_id),
        action=str(report.action),
        to=report.reverse_path,
        made_at=moment(report.made_at),
        next_attempt_at=moment(report.next_attempt_at),
        failures=report.failures,
        reply=report.reply,
        size=report.size,
    )


def _status(message: EmailMessage) -> list[list[HeaderView]]:
    for part in message.walk():
        if part.get_content_type() in _STATUS_PARTS:
            return [
                _fields(group) for group in part.iter_parts() if isinstance(group, EmailMessage)
            ]
    return []


def _fields(message: EmailMessage) -> list[HeaderView]:
    return [HeaderView(name=name, value=str(value)) for name, value in message.items()]
