"""One deadline that moves often, with a single timer."""

import asyncio
import math
from collections.abc import Callable


def _nothing() -> None:
    """Do nothing."""


class Deadline:
    """Calls once when it has passed.

    Moving it later costs no timer: when the armed one fires, it finds that there is time left.
    """

    __slots__ = ("_at", "_loop", "_on_passed", "_timer", "_timer_at", "moved_at")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_passed: Callable[[], None]) -> None:
        self._loop = loop
        self._on_passed = on_passed
        self._at = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self.moved_at = -math.inf  # loop time of the latest move

    def move(self, seconds: float) -> None:
        """Set it to this many seconds from now; infinity means never."""
        self.moved_at = self._loop.time()
        self._at = self.moved_at + seconds
        if self._at < self._timer_at:
            self._arm(self._at)

    def cancel(self) -> None:
        """Never call, however it is moved; release the callback, which refers to this object."""
        self._at = math.inf
        self._disarm()
        self._on_passed = _nothing

    def _arm(self, at: float) -> None:
        self._disarm()
        self._timer = self._loop.call_at(at, self._fire)
        self._timer_at = at

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = None, math.inf

    def _fire(self) -> None:
        self._timer, self._timer_at = None, math.inf
        if self._loop.time() >= self._at:
            self._on_passed()
        elif self._at < math.inf:
            self._arm(self._at)
