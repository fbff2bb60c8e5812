"""Routes of the reports that wait to be sent."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from restante.admin import report_queue
from restante.admin.report_queue import (
    FullReportView,
    NamedReports,
    ReportsDropped,
    ReportSelection,
    ReportView,
)
from restante.web.api.idempotency_keys import REPEATABLE, ActingRoute
from restante.web.api.paging import PAGED, WantedPage, as_listing_page
from restante.web.api.request_context import ReadingContext, RequestContext

router = APIRouter(route_class=ActingRoute, prefix="/reports", tags=["reports"])


@router.get("", response_model=list[ReportView], responses=PAGED)
async def list_reports(
    context: ReadingContext, request: Request, selection: Annotated[ReportSelection, Query()]
) -> Response:
    """List the waiting reports, in the order in which they were made."""
    wanted = WantedPage(selection.after, selection.limit, request)
    return await as_listing_page(await report_queue.list_reports(context, selection), wanted)


@router.get("/{number}")
async def show_report(
    context: ReadingContext, number: Annotated[int, Path(ge=1, lt=2**63)]
) -> FullReportView:
    """Show one report with its text."""
    return await report_queue.show_report(context, number)


@router.post("/drop", dependencies=[REPEATABLE])
async def drop_reports(context: RequestContext, named: NamedReports) -> ReportsDropped:
    """Drop reports: their senders are not told."""
    return await report_queue.drop_reports(context, named)
