"""How late the event loop is: everything that runs on it waits while one turn takes long.

A timer is due every LOOK_SECONDS. If it fires late, something occupied the loop meanwhile.
Limitation: the part of a turn before the timer was due is not seen, so a turn is measured up to
LOOK_SECONDS too short. It does not tell what occupied the loop.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from restante.telemetry.event_bus import Log
from restante.telemetry.events import LoopStalled

LOOK_SECONDS: Final = 0.05
STALL_SECONDS: Final = 0.25  # from here on it is logged
WINDOW_SECONDS: Final = 60.0


class LoopLag:
    """Measures the loop that `run` runs on."""

    def __init__(
        self,
        log: Log,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`clock` is monotonic, in seconds."""
        self._log = log
        self._clock = clock
        self._sleep = sleep
        self._window_began = clock()
        self._longest_now = 0.0
        self._longest_before = 0.0  # in the window before this one

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            due = self._clock() + LOOK_SECONDS
            await self._sleep(LOOK_SECONDS)
            self._late(self._clock() - due)

    def longest(self) -> float:
        """Return the longest lag, in seconds, of the last one to two minutes."""
        self._turn_window()
        return max(self._longest_now, self._longest_before)

    def _late(self, seconds: float) -> None:
        self._turn_window()
        self._longest_now = max(self._longest_now, seconds)
        if seconds > STALL_SECONDS:
            self._log.publish(LoopStalled(seconds=round(seconds, 3)))

    def _turn_window(self) -> None:
        windows = int((self._clock() - self._window_began) // WINDOW_SECONDS)
        if windows:
            self._longest_before = self._longest_now if windows == 1 else 0.0
            self._longest_now = 0.0
            self._window_began += windows * WINDOW_SECONDS
