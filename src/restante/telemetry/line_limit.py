"""The limit of the log's lines that a client can cause again and again. Pure; the clock is given.

A request may fail by a defect, or by a store that is away, as often as a client repeats it. Each
line of a defect has its traceback. So a few lines of one cause are written in a minute, and then
the number of those that were left out.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final

from restante.telemetry.events import (
    Event,
    InternalError,
    LinesLeftOut,
    ReleaseRequested,
    StoreFailed,
)

LINES: Final = 10  # of one cause in a window
SECONDS: Final = 60.0  # of a window
MOST_CAUSES: Final = 1000  # that are told apart; further ones share a window
LIMITED: Final = frozenset({InternalError, StoreFailed, ReleaseRequested})


@dataclass(slots=True)
class _Window:
    event: str
    began: float
    lines: int = 0
    left_out: int = 0


class LineLimit:
    """Counts the lines of each cause."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` is in seconds."""
        self._monotonic = monotonic
        self._windows: dict[Hashable, _Window] = {}

    def allows(self, event: Event) -> bool:
        """Count the line of an event, and return whether it may be written."""
        cause = _cause(event)
        if cause is None:
            return True
        now = self._monotonic()
        if cause not in self._windows and len(self._windows) >= MOST_CAUSES:
            self._forget(now)
            if len(self._windows) >= MOST_CAUSES:
                cause = event.event
        window = self._windows.setdefault(cause, _Window(event.event, now))
        if not window.left_out and now - window.began >= SECONDS:
            window.began, window.lines = now, 0
        if window.lines >= LINES:
            window.left_out += 1
            return False
        window.lines += 1
        return True

    def take_left_out(self, *, at_end: bool = False) -> list[LinesLeftOut]:
        """Return the counts of the windows that are over; at the end of all, of every window."""
        now = self._monotonic()
        over = [
            (cause, window)
            for cause, window in self._windows.items()
            if window.left_out and (at_end or now - window.began >= SECONDS)
        ]
        for cause, _ in over:
            del self._windows[cause]
        return [LinesLeftOut(of_event=one.event, count=one.left_out) for _, one in over]

    @property
    def has_left_out(self) -> bool:
        """Whether a window has lines left out that were not told yet."""
        return any(window.left_out for window in self._windows.values())

    def _forget(self, now: float) -> None:
        for cause, window in list(self._windows.items()):
            if not window.left_out and now - window.began >= SECONDS:
                del self._windows[cause]


def _cause(event: Event) -> Hashable:
    """Return what makes lines of the same cause; None for a line without a limit."""
    match event:
        case ReleaseRequested(release=None):  # over its limit: nothing else keeps it
            return event.event, event.actor
        case InternalError():
            return event.event, type(event.error), _place(event.error)
        case StoreFailed():
            return event.event, type(event.error), event.doing
        case _:
            return None


def _place(error: BaseException) -> tuple[str, int]:
    """Return the file and line where an error was raised."""
    trace = error.__traceback__
    if trace is None:
        return "", 0
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code.co_filename, trace.tb_lineno
