"""Timers of an event loop, on a clock that a test moves."""

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast


@dataclass(order=True)
class Handle:
    """A timer."""

    at: float
    number: int
    callback: Callable[[], None] = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Call nothing."""
        self.is_cancelled = True


@dataclass
class ManualLoop:
    """`time`, `call_at`, and the advance of the clock."""

    now: float = 0.0
    timers: list[Handle] = field(default_factory=list)
    armed: int = 0  # timers ever made

    def time(self) -> float:
        """Return the time."""
        return self.now

    def call_at(self, at: float, callback: Callable[[], None]) -> Handle:
        """Make a timer."""
        self.armed += 1
        handle = Handle(at, self.armed, callback)
        heapq.heappush(self.timers, handle)
        return handle

    def advance(self, to: float) -> None:
        """Let the time come, and the timers fire that are due."""
        while self.timers and self.timers[0].at <= to:
            handle = heapq.heappop(self.timers)
            self.now = max(self.now, handle.at)
            if not handle.is_cancelled:
                handle.callback()
        self.now = to

    @property
    def as_loop(self) -> asyncio.AbstractEventLoop:
        """Return it as the loop that code of ours takes."""
        return cast("asyncio.AbstractEventLoop", self)
