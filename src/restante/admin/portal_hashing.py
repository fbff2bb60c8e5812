"""The two threads that hash the passwords of portal users.

They are of the portal alone. Guesses at it wait neither before the AUTH of mail servers nor before
the logins that administration makes.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

THREADS: Final = 2
MOST_WAITING: Final = 16  # hashes that run or wait; each takes about a tenth of a second

_Result = TypeVar("_Result")


class HashingBusy(Exception):  # noqa: N818
    """Too many hashes wait already."""


class PortalHashing:
    """Runs hashes off the event loop. Belongs to the event loop."""

    def __init__(self, limit: int = MOST_WAITING) -> None:
        self._limit = limit
        self._waiting = 0
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="portal-password")

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """Return the result of work that hashes. Raises HashingBusy, at once."""
        if self._waiting >= self._limit:
            raise HashingBusy
        self._waiting += 1
        hashed = asyncio.get_running_loop().run_in_executor(self._threads, work)
        hashed.add_done_callback(self._ended)  # a caller that leaves keeps its place
        return await asyncio.shield(hashed)

    def _ended(self, hashed: "asyncio.Future[_Result]") -> None:
        self._waiting -= 1
        if not hashed.cancelled():
            hashed.exception()  # of a caller that has left: nobody else asks
