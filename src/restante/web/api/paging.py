"""Lists by pages: `after` and `limit` of a request, and the link to the next page (RFC 8288)."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import quote

from fastapi import Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from restante.web.api.listing import PIECE_SECONDS

LIMIT: Final = 100  # items
MAX_LIMIT: Final = 500
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
    after: Annotated[str, Query(description="Begin after this item: see the Link header.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items of a page.")] = LIMIT,
) -> WantedPage:
    return WantedPage(after, limit, request)


ListPage = Annotated[WantedPage, Depends(_wanted_page)]


async def as_page(views: Iterable[_V], wanted: WantedPage, key: Callable[[_V], str]) -> Response:
    """Return the first views as a page; `key` is the name by which the next page follows one.

    Other tasks run between two pieces of a few milliseconds.
    """
    rest = iter(views)
    texts: list[str] = []
    last, began = "", time.monotonic()
    for view in islice(rest, wanted.limit):
        texts.append(view.model_dump_json())
        last = key(view)
        if time.monotonic() - began > PIECE_SECONDS:
            await asyncio.sleep(0)
            began = time.monotonic()
    has_more = next(rest, None) is not None
    link = {"Link": f'<{wanted.next_page(last)}>; rel="next"'} if has_more else {}
    return Response(f"[{','.join(texts)}]", media_type="application/json", headers=link)
