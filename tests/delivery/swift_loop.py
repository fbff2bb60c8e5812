"""An event loop whose clock jumps to the next timer when it is idle: pauses take no time.

Each turn of the loop takes the same short time, whatever it computes. So a busy machine makes no
answer late.
"""

import asyncio
import selectors
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


_TURN_SECONDS = 0.0002  # of a turn of the loop
_LOOPBACK_SECONDS = 0.01  # for data to arrive: on a loaded machine it is not always there at once


class _Selector(selectors.DefaultSelector):
    """Never waits for a timer. Loopback delivers at once, so only time is skipped, no data."""

    def __init__(self) -> None:
        super().__init__()
        self.now = time.monotonic()
        self.working = 0  # threads whose result is awaited: until it is there, time is real

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        began = time.monotonic()
        ready = super().select(None if timeout is None else min(timeout, _LOOPBACK_SECONDS))
        self.now += _TURN_SECONDS
        if self.working:
            self.now += time.monotonic() - began
        elif not ready and timeout:
            self.now += timeout
        return ready


class SwiftLoop(asyncio.SelectorEventLoop):
    """The loop."""

    def __init__(self) -> None:
        self._swift = _Selector()
        super().__init__(self._swift)

    def time(self) -> float:
        """Return the time, with the skipped pauses."""
        return self._swift.now

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> asyncio.Future[Any]:
        """Have a thread work, and skip no time meanwhile."""

        def has_ended(_: asyncio.Future[Any]) -> None:
            self._swift.working -= 1

        future = super().run_in_executor(executor, func, *args)
        self._swift.working += 1
        future.add_done_callback(has_ended)
        return future


def run_swiftly(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end."""
    with asyncio.Runner(loop_factory=SwiftLoop) as runner:
        return runner.run(main)


def run_swiftly_for(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    """Run work that has no end for so long, then cancel it."""

    async def story() -> None:
        running = asyncio.create_task(work)
        await asyncio.sleep(seconds)
        running.cancel()

    run_swiftly(story())
