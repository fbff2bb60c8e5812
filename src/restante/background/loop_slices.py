"""Long work on the event loop, done in pieces, so that mail need not wait for all of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from itertools import islice
from time import perf_counter
from typing import Final, TypeVar

T = TypeVar("T")

TURN_SECONDS: Final = 0.002  # of work, before other tasks get a turn


async def in_slices(items: Iterable[T], at_once: int) -> AsyncIterator[list[T]]:
    """Yield the items in lists of at most `at_once`. Other tasks run between two lists."""
    remaining = iter(items)
    while piece := list(islice(remaining, at_once)):
        yield piece
        await asyncio.sleep(0)


async def in_turns(
    items: Iterable[T], clock: Callable[[], float] = perf_counter
) -> AsyncIterator[T]:
    """Yield the items. Other tasks run whenever making and using them took `TURN_SECONDS`.

    They run at the end too, so that several short lists do not add up. `clock` is in seconds.
    """
    began = clock()
    for item in items:
        yield item
        if clock() - began > TURN_SECONDS:
            await asyncio.sleep(0)
            began = clock()
    await asyncio.sleep(0)
