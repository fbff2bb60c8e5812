"""Long listings are JSON like short ones, and let others have their turn while they are made."""

import asyncio
import json

import pytest
from pydantic import BaseModel

from restante.web.api.listing import PIECE, as_listing


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
