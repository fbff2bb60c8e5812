"""Routes of a domain's recipients."""

from contextlib import suppress

from fastapi import APIRouter
from fastapi.responses import Response

from restante.admin import recipient_lists
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError
from restante.admin.recipient_lists import (
    KnownRecipientView,
    ListChange,
    RecipientChange,
    RecipientList,
)
from restante.web.api.checked_route import CheckedRoute
from restante.web.api.entity_tags import record_tag
from restante.web.api.paging import PAGED, ListPage, as_listing_page
from restante.web.api.preconditions import IfMatch
from restante.web.api.request_context import ReadingContext, RequestContext

router = APIRouter(
    route_class=CheckedRoute, prefix="/domains/{domain}/recipients", tags=["recipients"]
)


@router.get("", response_model=list[KnownRecipientView], responses=PAGED)
async def list_recipients(context: ReadingContext, page: ListPage, domain: str) -> Response:
    """List them by source and name. The ETag is of the whole list, without what was learned."""
    tag = record_tag(await recipient_lists.known_list(context, domain))
    found = await recipient_lists.list_recipients(context, domain, page.after, page.limit)
    answer = await as_listing_page(found, page)
    answer.headers["ETag"] = tag
    return answer


@router.patch("")
async def change_recipients(
    context: RequestContext,
    domain: str,
    wanted: RecipientChange,
    precondition: IfMatch,
    response: Response,
) -> ListChange:
    """Add names to the list, and remove names from it."""
    done = await recipient_lists.change_recipients(context, domain, wanted, precondition.is_known)
    await _tag(context, domain, response)
    return done


@router.put("")
async def replace_recipients(
    context: RequestContext,
    domain: str,
    wanted: RecipientList,
    precondition: IfMatch,
    response: Response,
) -> ListChange:
    """Replace the list."""
    done = await recipient_lists.replace_recipients(context, domain, wanted, precondition.is_known)
    await _tag(context, domain, response)
    return done


async def _tag(context: AdminContext, domain: str, response: Response) -> None:
    """Give a change the tag that the next one may name, to a client that may read the list."""
    with suppress(AdminError):
        response.headers["ETag"] = record_tag(await recipient_lists.known_list(context, domain))
