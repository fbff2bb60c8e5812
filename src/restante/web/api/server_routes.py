"""Routes of the running server: drains, status, audit trail."""

from operator import attrgetter
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response, StreamingResponse

from restante.admin import auditing, drains, mail_search, server_status
from restante.admin.auditing import AuditView
from restante.admin.drains import DrainStop, DrainView, LastDrainView
from restante.admin.mail_search import TraceSelection, TraceView
from restante.admin.request_bounds import UnixTime
from restante.admin.server_status import StatusSelection, StatusView
from restante.tenancy.audit import AuditFilter
from restante.web.api.idempotency_keys import REPEATABLE, ActingRoute
from restante.web.api.paging import PAGED, ListPage, as_listing_page, as_page
from restante.web.api.request_context import ClientWords, ReadingContext, RequestContext
from restante.web.api.streamed_listing import stream_document

router = APIRouter(route_class=ActingRoute, tags=["operations"])


@router.get("/drains", response_model=list[DrainView], responses=PAGED)
async def list_drains(context: ReadingContext, page: ListPage) -> Response:
    """List the drains that run or wait, in the order in which they started."""
    return await as_listing_page(await drains.list_drains(context, page.after, page.limit), page)


@router.get("/drains/last", response_model=list[LastDrainView], responses=PAGED)
async def list_last_drains(
    context: ReadingContext, page: ListPage, domain: str | None = None
) -> Response:
    """Show how the last drain of each domain, or of one domain, ended, by domain."""
    views = await drains.last_drains(context, domain, after=page.after)
    return await as_page(views, page, attrgetter("domain"))


@router.post("/drains/{domain}/stop", dependencies=[REPEATABLE])
async def stop_drain(context: RequestContext, domain: str, order: DrainStop) -> DrainView:
    """End a domain's drain; the remaining mail stays held."""
    return await drains.stop_drain(context, domain, order)


@router.get("/status", response_model=StatusView)
async def show_status(
    context: ReadingContext, wanted: Annotated[StatusSelection, Query()], words: ClientWords
) -> StreamingResponse:
    """Show whether the server is well, held mail by domain, running drains, listeners."""
    found = await server_status.show_status(context, wanted)
    for told in found.view.health.problems:
        told.text = words(told.text)
    return stream_document(found.view, {"domains": found.domains, "drains": found.drains})


@router.get("/trace", response_model=TraceView)
async def trace_mail(
    context: ReadingContext, selection: Annotated[TraceSelection, Query()]
) -> StreamingResponse:
    """Find mail that is held or has left, and the outcome for each recipient."""
    found = await mail_search.trace(context, selection)
    listings = found._asdict()
    rest = {name: listings.pop(name) for name in ("held_after", "left_before")}
    return stream_document(TraceView(held=[], left=[], releases=[], audit=[], **rest), listings)


async def _audit_filter(
    *,
    account: str | None = None,
    domain: str | None = None,
    action: str | None = None,
    actor: str | None = None,
    since: UnixTime | None = None,
    until: UnixTime | None = None,
) -> AuditFilter:
    """Read the filter from the query. As a model, FastAPI would make each in a thread."""
    return AuditFilter(
        account=account, domain=domain, action=action, actor=actor, since=since, until=until
    )


@router.get("/audit", response_model=list[AuditView], responses=PAGED)
async def list_audit(
    context: ReadingContext,
    page: ListPage,
    wanted: Annotated[AuditFilter, Depends(_audit_filter)],
) -> Response:
    """List the newest entries of the audit trail, newest first.

    A search that takes long ends early: a page with few entries, or with none, can have a link to a
    next one.
    """
    found = await auditing.list_audit(context, wanted, page.limit, page.after)
    return await as_listing_page(found, page)
