"""Waiting for a task that goes on if its caller leaves.

asyncio.shield does it too. But since Python 3.14 it reports an error of such a task to the event
loop, whose handler logs a defect. Here, an error is nobody's once the caller has left, as before.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

_Result = TypeVar("_Result")


async def shielded(work: Awaitable[_Result]) -> _Result:
    """Return the result of a work, or raise its error. If the caller is cancelled, it goes on.

    A coroutine becomes a task.
    """
    task = asyncio.ensure_future(work)
    if not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.add_done_callback(_take_note)
            raise
    return task.result()


def _take_note(task: asyncio.Future[Any]) -> None:
    """Let the event loop know that somebody has looked at an error."""
    if not task.cancelled():
        task.exception()
