"""Lists by pages: `after` and `limit` of a request, and the link to the next page (RFC 8288)."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from restante.admin.listing_page import PAGE_ROWS, Cursor, ListingPage, PageLimit
from restante.web.api.streamed_listing import PIECE_SECONDS

PAGED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "headers": {
            "Link": {
                "description": 'The next page, with `rel="next"`. The last page has none.',
                "schema": {"type": "string"},
            }
        }
    }
}

_V = TypeVar("_V", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class WantedPage:
    """The page that a request is about."""

    after: str  # the key of the last item of the page before; "" for the first page
    limit: int  # items
    request: Request

    def next_page(self, last: str) -> str:
        """Return the reference to the page after the item with this key."""
        url = self.request.url.include_query_params(after=last, limit=self.limit)
        return f"{quote(url.path)}?{url.query}"


async def _wanted_page(
    request: Request,
    after: Annotated[Cursor, Query()] = "",
    limit: Annotated[PageLimit, Query()] = PAGE_ROWS,
) -> WantedPage:
    return WantedPage(after, limit, request)


ListPage = Annotated[WantedPage, Depends(_wanted_page)]


async def as_page(views: Iterable[_V], wanted: WantedPage, key: Callable[[_V], str]) -> Response:
    """Return the first views as a page; `key` is the name by which the next page follows one.

    Other tasks run between two pieces of a few milliseconds.
    """
    rest = iter(views)
    last = ""

    def noted() -> Iterator[_V]:
        nonlocal last
        for view in islice(rest, wanted.limit):
            last = key(view)
            yield view

    texts = await _texts(noted())
    has_more = next(rest, None) is not None
    return _answer(texts, wanted.next_page(last) if has_more else None)


async def as_listing_page(page: ListingPage[_V], wanted: WantedPage) -> Response:
    """Return a page that administration has cut, with the link to the next one."""
    texts = await _texts(page.views)
    if page.after is None:
        return _answer(texts, None)
    return _answer(texts, wanted.next_page(page.after))


async def _texts(views: Iterable[BaseModel]) -> list[str]:
    texts: list[str] = []
    began = time.monotonic()
    for view in views:
        texts.append(view.model_dump_json())
        if time.monotonic() - began > PIECE_SECONDS:
            await asyncio.sleep(0)
            began = time.monotonic()
    return texts


def _answer(texts: Sequence[str], following: str | None) -> Response:
    link = {"Link": f'<{following}>; rel="next"'} if following is not None else {}
    return Response(f"[{','.join(texts)}]", media_type="application/json", headers=link)
