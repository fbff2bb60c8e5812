"""A long listing as JSON, made and sent in pieces, so that no other request waits for all of it.

The event loop takes mail too. One view costs about ten microseconds, and there may be a hundred
thousand. So a piece has few enough of them, and other tasks run between two pieces.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from fastapi.responses import StreamingResponse
from pydantic import BaseModel

PIECE: Final = 50  # views
PIECE_SECONDS: Final = (
    0.003  # the time after which a smaller piece is sent: a message may have a thousand recipients
)

ListingPages = AsyncIterator[Iterable[BaseModel]]


def stream_document(
    view: BaseModel, listings: Mapping[str, Iterable[BaseModel]]
) -> StreamingResponse:
    """Return the answer with a view as a JSON object.

    The fields in `listings` are empty lists in `view`. They are given in the order of the fields,
    and are read while the answer is sent.
    """
    return StreamingResponse(
        _object(view.model_dump_json().encode(), listings), media_type="application/json"
    )


async def _object(rest: bytes, listings: Mapping[str, Iterable[BaseModel]]) -> AsyncIterator[bytes]:
    for name, views in listings.items():
        before, field, rest = rest.partition(
            b'"%s":[]' % name.encode()
        )  # no JSON text has such quotes in it
        yield before + field.removesuffix(b"[]")
        async for piece in _array(_one_page(views)):
            yield piece
    yield rest


async def _one_page(views: Iterable[BaseModel]) -> ListingPages:
    yield views


async def _array(pages: ListingPages) -> AsyncIterator[bytes]:
    opening = b"["
    async for page in pages:
        for piece in in_pieces(page):
            yield opening + piece
            opening = b","
            await asyncio.sleep(0)
    yield b"]" if opening == b"," else b"[]"


async def lines_in_pieces(pages: ListingPages) -> AsyncIterator[bytes]:
    """Yield views as JSON, a line for each, in pieces of a few milliseconds."""
    async for page in pages:
        rest = iter(page)
        while piece := _piece(rest, time.monotonic):
            yield b"".join([f"{line}\n".encode() for line in piece])
            await asyncio.sleep(0)


def in_pieces(
    views: Iterable[BaseModel], clock: Callable[[], float] = time.monotonic
) -> Iterator[bytes]:
    """Yield views as JSON, with commas between them, in pieces of a few milliseconds."""
    rest = iter(views)
    while piece := _piece(rest, clock):
        yield ",".join(piece).encode()


def _piece(views: Iterator[BaseModel], clock: Callable[[], float]) -> list[str]:
    began, piece = clock(), []
    for view in islice(views, PIECE):
        piece.append(view.model_dump_json())
        if clock() - began > PIECE_SECONDS:
            break
    return piece
