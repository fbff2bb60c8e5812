"""Long listings are JSON like short ones, and let others have their turn while they are made."""

import asyncio
import json

import pytest
from pydantic import BaseModel

from restante.web.api.streamed_listing import (
    PIECE,
    PIECE_SECONDS,
    in_pieces,
    stream_document,
)


class View(BaseModel):
    number: int


def test_a_piece_of_large_views_has_few_of_them() -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += PIECE_SECONDS / 4
        return now

    pieces = list(in_pieces((View(number=number) for number in range(12)), clock))
    assert [json.loads(f"[{piece.decode()}]") for piece in pieces] == [
        [{"number": number} for number in range(start, min(start + 5, 12))] for start in (0, 5, 10)
    ]


class Whole(BaseModel):
    text: str
    numbers: list[View]
    more: list[View]
    end: int


@pytest.mark.parametrize("count", [0, 1, PIECE, 2 * PIECE + 1])
def test_a_document_has_its_listings_in_their_places(count: int) -> None:
    """With any texts."""

    async def story() -> None:
        whole = Whole(text='"numbers":[],"more":[]', numbers=[], more=[], end=7)
        few, many = [View(number=9)], [View(number=number) for number in range(count)]
        answer = stream_document(whole, {"numbers": iter(many), "more": iter(few)})
        pieces = [bytes(piece) async for piece in answer.body_iterator]  # type: ignore[arg-type]
        filled = whole.model_copy(update={"numbers": many, "more": few})
        assert b"".join(pieces) == filled.model_dump_json().encode()
        assert len(pieces) > count // PIECE

    asyncio.run(story())
