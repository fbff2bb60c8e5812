"""Lanes for checks of credentials: in each a few run at once, in threads, before a fair line.

One lane is for clients at an authorized host of the login's account; accounts take turns there. The
other is for strangers; address blocks take turns there. Lanes have threads of their own: the checks
in one lane never wait for those in another.
"""

import asyncio
import math
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Final

from restante.reception.fair_line import FairLine

Verification = Callable[[], bytes | None]
"""Returns None for wrong credentials, otherwise the final challenge, b"" for none."""

_PASSWORD_THREADS: Final = 2  # for strangers; each check takes 64 MiB for a moment


class CheckOmitted(Enum):
    """The answer when a check was not made."""

    UNCHECKED = "too many wait, the client has left, or the server stops"


@dataclass(frozen=True, slots=True)
class LanePosition:
    """In which lane a check waits, for whose share of it, and for how long."""

    is_authorized_host: bool
    share: Hashable  # the account at an authorized host, otherwise the block
    is_wanted: Callable[[], bool] = lambda: True  # whether the client is still there


@dataclass(eq=False, slots=True)
class _Job:
    check: Verification
    is_wanted: Callable[[], bool]
    answer: asyncio.Future[bytes | CheckOmitted | None]


class CredentialLane:
    """Runs checks. Shares take turns."""

    def __init__(self, executor: Executor, threads: int, limit: float = math.inf) -> None:
        """`limit`: checks that run or wait at once. It may be replaced at any time."""
        self.limit = limit
        self._executor = executor
        self._threads = threads
        self._running = 0
        self._is_closed = False
        self._line: FairLine[_Job] = FairLine()

    async def run(
        self, share: Hashable, check: Verification, is_wanted: Callable[[], bool] = lambda: True
    ) -> bytes | CheckOmitted | None:
        """Return what a check says.

        If the client has left when its turn comes, the check is not made. Otherwise a flood could
        keep the lane busy after its end.
        """
        if self._is_closed:
            return CheckOmitted.UNCHECKED
        job = _Job(check, is_wanted, asyncio.get_running_loop().create_future())
        if self._running < min(self._threads, self.limit):
            self._start(job)
        else:
            self._enter(share, job)
        return await job.answer

    def close(self) -> None:
        """Make no further check. Running checks finish."""
        self._is_closed = True
        while (job := self._line.next()) is not None:
            _defer(job)
        self._executor.shutdown(wait=False)

    def _enter(self, share: Hashable, job: _Job) -> None:
        if len(self._line) >= self.limit - self._running:
            for gone in self._line.remove(_is_unwanted):
                _defer(gone)
        displaced = self._line.enter(share, job, self.limit - self._running)
        if displaced is not None:
            _defer(displaced)

    def _start(self, job: _Job) -> None:
        self._running += 1
        running = asyncio.get_running_loop().run_in_executor(self._executor, job.check)
        running.add_done_callback(partial(self._end, job))

    def _end(self, job: _Job, ended: asyncio.Future[bytes | None]) -> None:
        self._running -= 1
        self._start_next()
        if job.answer.done():  # its waiter was cancelled meanwhile
            return
        if (error := ended.exception()) is not None:
            job.answer.set_exception(error)
        else:
            job.answer.set_result(ended.result())

    def _start_next(self) -> None:
        while self._running < self._threads and (job := self._line.next()) is not None:
            if _is_unwanted(job):
                _defer(job)
            else:
                self._start(job)


def _is_unwanted(job: _Job) -> bool:
    return job.answer.done() or not job.is_wanted()


def _defer(job: _Job) -> None:
    if not job.answer.done():
        job.answer.set_result(CheckOmitted.UNCHECKED)


class CredentialLanes:
    """The two lanes for one kind of check."""

    def __init__(self, authorized: CredentialLane, strangers: CredentialLane) -> None:
        self._authorized = authorized
        self._strangers = strangers

    async def run(self, place: LanePosition, check: Verification) -> bytes | CheckOmitted | None:
        """Have a check made in its place."""
        lane = self._authorized if place.is_authorized_host else self._strangers
        return await lane.run(place.share, check, place.is_wanted)

    def set_limit(self, limit: int) -> None:
        """Set how many checks of strangers may run or wait."""
        self._strangers.limit = limit

    def close(self) -> None:
        """Make no further check."""
        self._authorized.close()
        self._strangers.close()


def password_lanes(limit: int) -> CredentialLanes:
    """Return the lanes for passwords. `limit` is for strangers; authorized hosts have none."""
    return _lanes("password", _PASSWORD_THREADS, limit)


def proof_lanes(limit: int) -> CredentialLanes:
    """Return the lanes for SCRAM proofs, which take milliseconds."""
    return _lanes("proof", 1, limit)


def _lanes(name: str, threads: int, limit: int) -> CredentialLanes:
    authorized = ThreadPoolExecutor(1, thread_name_prefix=f"{name}-authorized")
    strangers = ThreadPoolExecutor(threads, thread_name_prefix=name)
    return CredentialLanes(CredentialLane(authorized, 1), CredentialLane(strangers, threads, limit))
