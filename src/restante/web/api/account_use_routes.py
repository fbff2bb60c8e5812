"""The route of the use of the server by accounts."""

from operator import attrgetter
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from restante.admin import account_use
from restante.admin.account_use import AccountUseView, Month, UseSelection
from restante.web.api.idempotency_keys import ActingRoute
from restante.web.api.paging import PAGED, ListPage, as_page
from restante.web.api.request_context import ReadingContext

router = APIRouter(route_class=ActingRoute, prefix="/account-uses", tags=["accounts"])


@router.get("", response_model=list[AccountUseView], responses=PAGED)
async def list_account_uses(
    context: ReadingContext,
    page: ListPage,
    account: Annotated[str | None, Query(max_length=64)] = None,
    since: Annotated[Month | None, Query(description="Such as 2026-11.")] = None,
    until: Annotated[Month | None, Query(description="Such as 2026-11.")] = None,
) -> Response:
    """List how much accounts used the server, by account and month, such as for bills.

    Without months: this one, or the last twelve of one account.
    """
    wanted = UseSelection(account=account, since=since, until=until)
    views = await account_use.account_uses(context, wanted, page.after, page.limit + 1)
    return await as_page(views, page, attrgetter("key"))
