"""Routes of changes of domains that wait for their time."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from restante.admin import waiting_changes
from restante.admin.change_scheduling import WaitingChangeView
from restante.admin.listing_page import number_at
from restante.web.api.idempotency_keys import REPEATABLE, ActingRoute
from restante.web.api.paging import PAGED, ListPage, as_page
from restante.web.api.request_context import ReadingContext, RequestContext

router = APIRouter(route_class=ActingRoute, prefix="/changes", tags=["changes"])

ChangeId = Annotated[int, Path(ge=1, le=2**63 - 1, description="The number of the change.")]


@router.get("", response_model=list[WaitingChangeView], responses=PAGED)
async def list_changes(
    context: ReadingContext,
    page: ListPage,
    account: Annotated[str | None, Query(description="Whose.")] = None,
    domain: Annotated[str | None, Query(description="Of this domain.")] = None,
) -> Response:
    """List changes of destinations and authorized hosts that wait, by number."""
    views = await waiting_changes.list_changes(
        context,
        account=account,
        domain=domain,
        after=number_at(page.after) or 0,
        limit=page.limit + 1,
    )
    return await as_page(views, page, lambda view: str(view.id))


@router.post("/{change_id}/apply", dependencies=[REPEATABLE])
async def apply_change(context: RequestContext, change_id: ChangeId) -> WaitingChangeView:
    """Apply a change before its time. Only operators may."""
    return await waiting_changes.apply_change(context, change_id)


@router.delete("/{change_id}")
async def cancel_change(context: RequestContext, change_id: ChangeId) -> WaitingChangeView:
    """Cancel a change that waits."""
    return await waiting_changes.cancel_change(context, change_id)
