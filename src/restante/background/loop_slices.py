"""Long work on the event loop, done in pieces, so that mail need not wait for all of it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


async def in_slices(items: Iterable[T], at_once: int) -> AsyncIterator[list[T]]:
    """Yield the items in lists of at most `at_once`. Other tasks run between two lists."""
    remaining = iter(items)
    while piece := list(islice(remaining, at_once)):
        yield piece
        await asyncio.sleep(0)
