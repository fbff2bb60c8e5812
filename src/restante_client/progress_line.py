"""A progress bar on one line of a terminal."""

from __future__ import annotations

import shutil
from typing import Callable, TextIO

_BAR_WIDTH = 30
_FULL_LINE = 79


class ProgressLine:
    """Draws a bar in place if the stream is a terminal, and nothing otherwise."""

    def __init__(self, stream: TextIO, draw: Callable[[str], object] | None = None) -> None:
        """`draw` writes to the stream."""
        self._draw = draw or stream.write
        self._stream = stream
        self._is_seen = stream.isatty()

    def show(self, title: str, done: int, total: int, rate: float = 0.0) -> None:
        """Draw the bar again."""
        if self._is_seen:
            columns = min(shutil.get_terminal_size().columns - 1, _FULL_LINE)
            line = bar_line(title, done, total, rate)[:columns]
            self._draw(f"\r\x1b[K{line}")
            self._stream.flush()

    def clear(self) -> None:
        """Remove the bar."""
        if self._is_seen:
            self._draw("\r\x1b[K")
            self._stream.flush()


def bar_line(title: str, done: int, total: int, rate: float) -> str:
    """Return the bar as text."""
    share = min(done / total, 1.0) if total else 0.0
    full = int(share * _BAR_WIDTH)
    speed = f"  {rate:,.0f}/s" if rate else ""
    return f"{title} [{'#' * full}{'.' * (_BAR_WIDTH - full)}] {done:,}/{total:,}{speed}"
