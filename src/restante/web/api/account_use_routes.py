"""The route of the use of the server by accounts."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from operator import attrgetter
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from restante.admin import account_use
from restante.admin.account_use import AccountUseView, Month, UseSelection
from restante.admin.use_table import HEADERS, MEDIA_TYPE, use_table
from restante.web.api.answer_format import asks_for
from restante.web.api.idempotency_keys import ActingRoute
from restante.web.api.paging import PAGED, ListPage, as_page
from restante.web.api.request_context import ReadingContext

router = APIRouter(route_class=ActingRoute, prefix="/account-uses", tags=["accounts"])


_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: PAGED[200] | {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
}


@router.get("", response_model=list[AccountUseView], responses=_ANSWERS)
async def list_account_uses(  # noqa: PLR0917
    context: ReadingContext,
    page: ListPage,
    account: Annotated[str | None, Query(max_length=64)] = None,
    since: Annotated[Month | None, Query(description="Such as 2026-11.")] = None,
    until: Annotated[Month | None, Query(description="Such as 2026-11.")] = None,
    form: Annotated[
        Literal["json", "csv"] | None,
        Query(alias="format", description="Of the answer. Not given: as Accept says."),
    ] = None,
) -> Response:
    """List how much accounts used the server, by account and month, such as for bills.

    Without months: this one, or the last twelve of one account. With `format=csv`, or `text/csv` in
    Accept, the answer is a table of all uses that match, and `limit` does not count.
    """
    wanted = UseSelection(account=account, since=since, until=until)
    accept = page.request.headers.get("accept", "")
    if form == "csv" or (form is None and asks_for(MEDIA_TYPE, accept)):
        return await _table(use_table(context, wanted))
    views = await account_use.account_uses(context, wanted, page.after, page.limit + 1)
    return await as_page(views, page, attrgetter("key"))


async def _table(slices: AsyncGenerator[str, None]) -> StreamingResponse:
    """Return the table. Errors before the first slice are raised here, and have a status."""
    first = await anext(slices)

    async def texts() -> AsyncGenerator[str, None]:
        async with aclosing(slices):  # also if the client leaves
            yield first
            async for text in slices:
                yield text

    return StreamingResponse(texts(), media_type=MEDIA_TYPE, headers=HEADERS)
