"""Routes of requests to release mail: a new one, those of the past, and the progress of each."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from restante.admin import operator_release, releases
from restante.admin.operator_release import ReleaseOrder, ReleaseView
from restante.admin.releases import PastReleaseView, ReleaseDetailView, ReleaseSelection
from restante.web.api.idempotency_keys import REPEATABLE, ActingRoute
from restante.web.api.paging import PAGED, WantedPage, as_listing_page
from restante.web.api.request_context import ReadingContext, RequestContext

router = APIRouter(route_class=ActingRoute, tags=["operations"])


@router.post("/releases", dependencies=[REPEATABLE])
async def release_domains(context: RequestContext, order: ReleaseOrder) -> list[ReleaseView]:
    """Start the drains of domains: ETRN over HTTP. One answer for each target, with its id.

    If every target is refused or deferred, the answer is a problem with the result for each in
    `results`. Its type is `urn:restante:problem:nothing-released`.
    """
    return await operator_release.release(context, order)


@router.post("/release", deprecated=True, dependencies=[REPEATABLE])
async def release_targets(context: RequestContext, order: ReleaseOrder) -> list[ReleaseView]:
    """Do the same as `POST /v1/releases`. This path ends with the next version."""
    return await operator_release.release(context, order)


@router.get("/releases", response_model=list[PastReleaseView], responses=PAGED)
async def list_releases(
    context: ReadingContext, request: Request, selection: Annotated[ReleaseSelection, Query()]
) -> Response:
    """List requests to release mail, from any source, newest first."""
    wanted = WantedPage(selection.after, selection.limit, request)
    return await as_listing_page(await releases.list_releases(context, selection), wanted)


@router.get("/releases/{release}")
async def show_release(context: ReadingContext, release: str) -> ReleaseDetailView:
    """Show how far a release has come, and its final record once it has ended."""
    return await releases.show_release(context, release)
