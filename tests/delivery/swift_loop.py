"""An event loop whose clock jumps to the next timer when it is idle: pauses take no time."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


_LOOPBACK_SECONDS = 0.01  # for data to arrive: on a loaded machine it is not always there at once


class _Selector(selectors.DefaultSelector):
    """Never waits for a timer. Loopback delivers at once, so only time is skipped, no data."""

    skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(None if timeout is None else min(timeout, _LOOPBACK_SECONDS))
        if not ready and timeout:
            self.skipped += timeout
        return ready


class SwiftLoop(asyncio.SelectorEventLoop):
    """The loop."""

    def __init__(self) -> None:
        self._swift = _Selector()
        super().__init__(self._swift)

    def time(self) -> float:
        """Return the time, with the skipped pauses."""
        return super().time() + self._swift.skipped


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
