"""Routes of requests to release mail: a new one, those of the past, and the progress of each."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from restante.admin import release_requests, releases
from restante.admin.release_requests import ReleaseOrder, ReleaseView
from restante.admin.releases import PastReleaseView, ReleaseDetailView, ReleaseSelection
from restante.web.api.listing import as_listing
from restante.web.api.repeatable import REPEATABLE, ActingRoute
from restante.web.api.request_context import RequestContext

router = APIRouter(route_class=ActingRoute, tags=["operations"])


@router.post("/releases", dependencies=[REPEATABLE])
async def release_domains(context: RequestContext, order: ReleaseOrder) -> list[ReleaseView]:
    """Start the drains of domains: ETRN over HTTP. One answer for each target, with its id."""
    return await release_requests.release(context, order)


@router.post("/release", deprecated=True, dependencies=[REPEATABLE])
async def release_nodes(context: RequestContext, order: ReleaseOrder) -> list[ReleaseView]:
    """Do the same as `POST /v1/releases`. This path ends with the next version."""
    return await release_requests.release(context, order)


@router.get("/releases", response_model=list[PastReleaseView])
async def list_releases(
    context: RequestContext, wanted: Annotated[ReleaseSelection, Query()]
) -> StreamingResponse:
    """List requests to release mail, from any source, newest first."""
    return as_listing(await releases.list_releases(context, wanted))


@router.get("/releases/{release}")
async def show_release(context: RequestContext, release: str) -> ReleaseDetailView:
    """Show how far a release has come, and its final record once it has ended."""
    return await releases.show_release(context, release)
