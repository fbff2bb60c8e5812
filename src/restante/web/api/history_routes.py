"""The route of the history of mail: a page in JSON, or all of it as lines."""

from contextlib import aclosing
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from restante.admin import mail_history, mail_search
from restante.admin.mail_history import HistorySelection
from restante.admin.mail_search import HistoryView, MailView
from restante.web.api.answer_format import asks_for
from restante.web.api.idempotency_keys import ActingRoute
from restante.web.api.json_lines import MEDIA_TYPE, JsonLines
from restante.web.api.paging import PAGED, WantedPage, as_listing_page
from restante.web.api.request_context import ReadingContext
from restante.web.api.streamed_listing import ListingPages, lines_in_pieces

router = APIRouter(route_class=ActingRoute, tags=["operations"])

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: PAGED[200] | {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}
}


class HistoryQuery(HistorySelection):
    """The entries to list, and the form of the answer."""

    format: Literal["json", "ndjson"] | None = None  # not given: as Accept says


@router.get("/history", response_model=list[HistoryView], responses=_ANSWERS)
async def list_history(
    context: ReadingContext, request: Request, query: Annotated[HistoryQuery, Query()]
) -> Response:
    """List the outcomes for recipients of mail that left, newest first.

    With `format=ndjson`, or `application/x-ndjson` in Accept, the answer has all outcomes that
    match, an object to a line, and `limit` does not count.
    """
    accept = request.headers.get("accept", "")
    if query.format == "ndjson" or (query.format is None and asks_for(MEDIA_TYPE, accept)):
        return await _all(mail_history.export_history(context, query))
    wanted = WantedPage(query.after, query.limit, request)
    return await as_listing_page(await mail_history.list_history(context, query), wanted)


@router.get("/messages/{name}")
async def show_mail(context: ReadingContext, name: str) -> MailView:
    """Show one message, whether it is held or has left, with the entries that name it."""
    return await mail_search.show_mail(context, name)


async def _all(slices: Any) -> StreamingResponse:
    """Return all slices. Errors before the first are raised here, and have a status."""
    first = await anext(slices)

    async def pages() -> ListingPages:
        async with aclosing(slices):  # also if the client leaves
            yield first
            async for one in slices:
                yield one

    return JsonLines(lines_in_pieces(pages()))
