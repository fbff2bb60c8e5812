"""A long listing as JSON, made and sent in pieces, so that nobody else waits for all of it.

The event loop takes mail too. One view costs some ten microseconds and there may be a hundred thousand, so a piece has
few enough of them, and everything else gets its turn between two pieces.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import Final

from fastapi.responses import StreamingResponse
from pydantic import BaseModel

PIECE: Final = 50  # views


def as_listing(views: Iterable[BaseModel]) -> StreamingResponse:
    """Return the answer with all views as a JSON array. `views` is walked while the answer is sent."""
    return StreamingResponse(_pieces(views), media_type="application/json")


async def _pieces(views: Iterable[BaseModel]) -> AsyncIterator[bytes]:
    rest = iter(views)
    opening = b"["
    while piece := [view.model_dump_json() for view in islice(rest, PIECE)]:
        yield opening + ",".join(piece).encode()
        opening = b","
        await asyncio.sleep(0)
    yield b"]" if opening == b"," else b"[]"
