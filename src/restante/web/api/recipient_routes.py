"""Routes of a domain's recipients."""

from fastapi import APIRouter
from fastapi.responses import Response

from restante.admin import recipient_lists
from restante.admin.recipient_lists import (
    KnownRecipientView,
    ListChange,
    RecipientChange,
    RecipientList,
)
from restante.web.api.checked_route import CheckedRoute
from restante.web.api.paging import PAGED, ListPage, as_listing_page
from restante.web.api.request_context import ReadingContext, RequestContext

router = APIRouter(
    route_class=CheckedRoute, prefix="/domains/{domain}/recipients", tags=["recipients"]
)


@router.get("", response_model=list[KnownRecipientView], responses=PAGED)
async def list_recipients(context: ReadingContext, page: ListPage, domain: str) -> Response:
    """List them by source and name."""
    found = await recipient_lists.list_recipients(context, domain, page.after, page.limit)
    return await as_listing_page(found, page)


@router.patch("")
async def change_recipients(
    context: RequestContext, domain: str, wanted: RecipientChange
) -> ListChange:
    """Add names to the list, and remove names from it."""
    return await recipient_lists.change_recipients(context, domain, wanted)


@router.put("")
async def replace_recipients(
    context: RequestContext, domain: str, wanted: RecipientList
) -> ListChange:
    """Replace the list."""
    return await recipient_lists.replace_recipients(context, domain, wanted)
