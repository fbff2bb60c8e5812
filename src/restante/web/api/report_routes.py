"""Routes of the reports that wait to be sent."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse

from restante.admin import report_queue
from restante.admin.report_queue import FullReportView, NamedReports, ReportsDropped, ReportSelection, ReportView
from restante.web.api.listing import as_paged_listing
from restante.web.api.request_context import TheOffice

router = APIRouter(prefix="/reports", tags=["reports"])


@router.get("", response_model=list[ReportView])
async def list_all(office: TheOffice, selection: Annotated[ReportSelection, Query()]) -> StreamingResponse:
    """List the reports that wait, in the order in which they were made."""
    return await as_paged_listing(office, report_queue.list_reports(office, selection))


@router.get("/{number}")
async def show(office: TheOffice, number: Annotated[int, Path(ge=1, lt=2**63)]) -> FullReportView:
    """Show one with what it says."""
    return await report_queue.show_report(office, number)


@router.post("/drop")
async def drop(office: TheOffice, named: NamedReports) -> ReportsDropped:
    """Forget reports: nobody is told."""
    return await report_queue.drop_reports(office, named)
