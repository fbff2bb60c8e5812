"""Long listings are JSON like short ones, and let others have their turn while they are made."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import BaseModel

from restante.store.store_errors import StoreError
from restante.telemetry.events import StoreFailed
from restante.web.api.listing import (
    PIECE,
    PIECE_SECONDS,
    as_document,
    as_listing,
    as_paged_listing,
    in_pieces,
)
from tests.admin.desk import Desk


class View(BaseModel):
    number: int


async def _sent(count: int) -> tuple[str, int]:
    """Return the body, and how often another task had its turn meanwhile."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    answer = as_listing(View(number=number) for number in range(count))
    body = ""
    async for piece in answer.body_iterator:
        assert isinstance(piece, bytes)
        body += piece.decode()
    task.cancel()
    return body, turns


@pytest.mark.parametrize("count", [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE])
def test_it_is_the_json_of_all_views(count: int) -> None:
    body, turns = asyncio.run(_sent(count))
    assert json.loads(body) == [{"number": number} for number in range(count)]
    assert turns >= count // PIECE


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
        answer = as_document(whole, {"numbers": iter(many), "more": iter(few)})
        pieces = [bytes(piece) async for piece in answer.body_iterator]  # type: ignore[arg-type]
        filled = whole.model_copy(update={"numbers": many, "more": few})
        assert b"".join(pieces) == filled.model_dump_json().encode()
        assert len(pieces) > count // PIECE

    asyncio.run(story())


async def _pages(*sizes: int, failing_after: int | None = None) -> AsyncIterator[Iterator[View]]:
    number = 0
    for place, size in enumerate(sizes):
        if place == failing_after:
            raise StoreError("reading: the disk was removed")
        yield (View(number=number + one) for one in range(size))
        number += size


@pytest.mark.parametrize("sizes", [[], [0], [1], [0, 0], [3, 0, 2], [PIECE + 1, PIECE, 1]])
def test_pages_are_one_listing(sizes: list[int]) -> None:
    async def story() -> None:
        answer = await as_paged_listing(Desk().context, _pages(*sizes))
        body = b"".join([bytes(piece) async for piece in answer.body_iterator])  # type: ignore[arg-type]
        assert json.loads(body) == [{"number": number} for number in range(sum(sizes))]

    asyncio.run(story())


def test_a_first_page_that_fails_is_an_error_of_the_request() -> None:
    with pytest.raises(StoreError):
        asyncio.run(as_paged_listing(Desk().context, _pages(2, failing_after=0)))


def test_a_later_page_that_fails_is_logged_and_the_answer_ends_early() -> None:
    async def story() -> None:
        desk = Desk()
        answer = await as_paged_listing(desk.context, _pages(2, 2, failing_after=1))
        body = aiter(answer.body_iterator)
        assert await anext(body) == b'[{"number":0},{"number":1}'
        with pytest.raises(StoreError):
            await anext(body)
        assert [event for event, _ in desk.log.lines] == [StoreFailed]

    asyncio.run(story())
