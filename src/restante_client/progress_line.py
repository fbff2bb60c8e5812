"""A progress bar on one line of a terminal.

Numbers are never cut. If the terminal is narrow, the bar becomes shorter, then the name.
"""

from __future__ import annotations

import shutil
from typing import Callable, NamedTuple, TextIO  # Python 3.8 has no other Callable at run time

_BAR_WIDTHS = (30, 20, 10)
_FULL_LINE = 79
_NAME_WIDTH = 12  # that the name keeps if there is more to show
_CUT = "..."


class ShownProgress(NamedTuple):
    """The progress of a release, ready to be shown."""

    title: str
    done: int
    total: int
    rate: float = 0.0  # messages a second
    eta: str = ""  # the expected time of the end, in ISO form
    trouble: str = ""  # the last error, while nothing moves
    next_attempt: str = ""  # its time, in ISO form


class ProgressLine:
    """Draws a bar in place if the stream is a terminal, and nothing otherwise."""

    def __init__(self, stream: TextIO, draw: Callable[[str], object] | None = None) -> None:
        """`draw` writes to the stream."""
        self._draw = draw or stream.write
        self._stream = stream
        self._is_seen = stream.isatty()

    def show(self, progress: ShownProgress) -> None:
        """Draw the bar again."""
        if self._is_seen:
            columns = min(shutil.get_terminal_size().columns - 1, _FULL_LINE)
            self._draw(f"\r\x1b[K{bar_line(progress, columns)}")
            self._stream.flush()

    def clear(self) -> None:
        """Remove the bar."""
        if self._is_seen:
            self._draw("\r\x1b[K")
            self._stream.flush()


def bar_line(progress: ShownProgress, columns: int = _FULL_LINE) -> str:
    """Return the bar as text of at most so many columns, as far as its numbers allow that."""
    numbers = f"{progress.done:,}/{progress.total:,}"
    if progress.trouble:
        name = _shortened(progress.title, max(columns // 3, _NAME_WIDTH))
        time = local_time(progress.next_attempt)
        text = f"{name} {numbers}  {f'next {time}: ' if time else ''}{progress.trouble}"
        return _shortened(text, columns)
    end = local_time(progress.eta)
    rate = f"  {progress.rate:,.0f}/s" if progress.rate else ""
    eta = f"  eta {end}" if end else ""
    tails = (numbers + rate + eta, numbers + eta, numbers + rate, numbers)
    tail = next((one for one in tails if len(one) + 1 + _NAME_WIDTH <= columns), numbers)
    room = columns - len(tail) - 1
    for width in _BAR_WIDTHS:
        if len(progress.title) + 3 + width <= room:
            return f"{progress.title} {_bar(progress, width)} {tail}"
    least = _BAR_WIDTHS[-1] + 3
    if room - least >= _NAME_WIDTH:
        name = _shortened(progress.title, room - least)
        return f"{name} {_bar(progress, _BAR_WIDTHS[-1])} {tail}"
    name = _shortened(progress.title, max(room, 0))
    return f"{name} {tail}" if name else tail


def _bar(progress: ShownProgress, width: int) -> str:
    share = min(progress.done / progress.total, 1.0) if progress.total else 0.0
    full = int(share * width)
    return f"[{'#' * full}{'.' * (width - full)}]"


def _shortened(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    return f"{text[: width - len(_CUT)]}{_CUT}" if width > len(_CUT) else ""


def local_time(text: str) -> str:
    """Return the time of day of a time in ISO form; empty if it is none."""
    from datetime import datetime  # noqa: PLC0415  heavy

    try:
        then = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone()
    except (ValueError, OverflowError, OSError):
        return ""
    return f"{then:%H:%M}"
