"""The two lines in which the passwords of portal users are hashed.

They are of the portal alone. Guesses at it wait neither before the AUTH of mail servers nor before
the logins that administration makes.

One line is for people who are known: signed in, or signed in before from the same address block.
They have a thread. The other is for strangers, whose passwords are hashed in processes of their own
(`stranger_passwords`). They get the processor time that mail leaves over, and after some hashes in
a row one a second. So guesses from many addresses slow neither mail nor these people.
Limitation: a person at a new place waits with the strangers.
"""

import asyncio
import math
import os
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from restante.admin.stranger_passwords import StrangerPasswords
from restante.shielded_task import shielded
from restante.tenancy.passwords import any_matches

NICENESS: Final = 5  # of the thread of known people
MOST_WAITING: Final = 16  # hashes of a line that run or wait; each takes a tenth of a second

STRANGERS_APART: Final = 1.0  # seconds between the hashes of strangers, in the long run
IN_A_ROW: Final = 10  # hashes of strangers that do not wait for that

_Result = TypeVar("_Result")


class HashingBusy(Exception):  # noqa: N818
    """Too many hashes wait already."""


class PortalHashing:
    """Runs hashes off the event loop. Belongs to the event loop."""

    def __init__(
        self,
        limit: int = MOST_WAITING,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        stranger_matches: Callable[[Sequence[str], str], bool] | None = None,
    ) -> None:
        """`monotonic` is in seconds that only grow; `pause` waits a number of them.

        `stranger_matches` checks a password in place of the process.
        """
        self._known = _HashingLane("portal-known", limit, partial(_step_back, NICENESS))
        self._strangers = _HashingLane("portal-stranger", limit)
        self._stranger_matches = stranger_matches or StrangerPasswords().any_matches
        self._monotonic = monotonic
        self._pause = pause
        self._paid_until = -math.inf  # by the hashes of strangers so far, each STRANGERS_APART

    async def of_known(self, work: Callable[[], _Result]) -> _Result:
        """Return the result of work that hashes, for known people. Raises HashingBusy, at once."""
        return await self._known.run(work)

    async def any_matches(self, hashes: Sequence[str], password: str, *, is_known: bool) -> bool:
        """Tell whether a password matches one of the hashes.

        Raises HashingBusy, at once; PasswordsUnchecked.
        """
        if is_known:
            return await self.of_known(partial(any_matches, hashes, password))
        check = partial(self._stranger_matches, hashes, password)
        return await self._strangers.run(check, self._strangers_turn)

    async def _strangers_turn(self) -> None:
        """Wait until the next hash of a stranger is due."""
        now = self._monotonic()
        self._paid_until = max(self._paid_until, now) + STRANGERS_APART
        early = self._paid_until - now - IN_A_ROW * STRANGERS_APART
        if early > 0:
            await self._pause(early)


async def _at_once() -> None:
    """Wait for nothing."""


class _HashingLane:
    """One thread, with a short line before it."""

    def __init__(self, name: str, limit: int, begin: Callable[[], object] | None = None) -> None:
        """`begin` is done in the thread, before its first work."""
        self._limit = limit
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name, initializer=begin)

    async def run(
        self, work: Callable[[], _Result], turn: Callable[[], Awaitable[None]] = _at_once
    ) -> _Result:
        """Return the result of the work, begun after its turn. Raises HashingBusy."""
        if self._waiting >= self._limit:
            raise HashingBusy
        self._waiting += 1
        hashed = asyncio.create_task(self._in_turn(work, turn))
        hashed.add_done_callback(self._ended)  # a caller that leaves keeps its place
        return await shielded(hashed)

    async def _in_turn(
        self, work: Callable[[], _Result], turn: Callable[[], Awaitable[None]]
    ) -> _Result:
        await turn()
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _ended(self, hashed: "asyncio.Task[_Result]") -> None:
        self._waiting -= 1
        if not hashed.cancelled():
            hashed.exception()  # of a caller that has left: nobody else asks


def _step_back(niceness: int) -> None:
    """Put this thread behind the others. The lanes of a hash (Argon2) inherit that from it."""
    with suppress(OSError):  # where a sandbox forbids it, the number of threads is the limit
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
