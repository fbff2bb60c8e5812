"""Clocks, and waiting that something can cut short. Injected, so that no test ever sleeps."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import random
from typing import Final

CLOCK_SLACK: Final = 5.0  # seconds by which the wall clock may be corrected without notice

Wait = Callable[[asyncio.Event, float], Awaitable[None]]  # the event, and how many seconds at most


async def wait_at_most(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set or the time is over."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


@dataclass(frozen=True, slots=True)
class Clocks:
    """How a part tells the time, and how it waits."""

    now: Callable[[], float]  # Unix time: for values that are stored or shown
    monotonic: Callable[[], float]  # seconds: for durations
    wait: Wait = wait_at_most
    jitter: Callable[[], float] = random  # from 0 up to 1
    # Unix time by which an age ends something permanently (retention/age_clock.py)
    ages: Callable[[], float] | None = None

    def age_now(self) -> float:
        """Return the time for ages; without a clock for them it is the wall clock's."""
        return self.now() if self.ages is None else self.ages()
