"""Places for the lines of the log, and the way to another one while a place takes none.

Mail never depends on the log. While a file or syslog takes no lines, they go to standard error, and
the place is tried again after RETRY_SECONDS. Two events tell the beginning and the end of that, and
`restante status` has a warning meanwhile.
"""

import select
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final, Protocol

from restante.telemetry.events import Event, LogDiverted, LogRestored
from restante.telemetry.log_line import LogLine

RETRY_SECONDS: Final = 5.0


class LinesUnwritten(Exception):  # noqa: N818
    """A place did not take all lines; `left` has those that it did not take whole."""

    def __init__(self, cause: OSError, left: Sequence[LogLine]) -> None:
        super().__init__(cause.strerror or str(cause))
        self.cause = cause
        self.left = left


class LogOutput(Protocol):
    """A place for lines. It belongs to one thread."""

    def write(self, lines: Sequence[LogLine]) -> None:
        """Write lines in their order. Raises LinesUnwritten."""

    def reopen(self) -> None:
        """Close what is open: the next lines open the place again. Raises nothing."""


class StandardError:
    """Standard error. Lines that it does not take are lost: no other place is left."""

    failure: Final = ""

    def __init__(self, *, is_alone: bool = True) -> None:
        """`is_alone`: no other process writes to the same pipe."""
        self._is_alone = is_alone

    def write(self, lines: Sequence[LogLine]) -> None:
        """Write lines. A closed pipe or a full disk must not reach the mail."""
        texts = [f"{line.text}\n" for line in lines]
        with suppress(OSError, ValueError):  # ValueError: it is closed
            for text in ["".join(texts)] if self._is_alone else _pieces(texts):
                sys.stderr.write(text)
                sys.stderr.flush()

    def reopen(self) -> None:
        """Nothing: its owner is the service manager."""


class DivertingOutput:
    """Writes to a place, and to standard error while the place takes no lines."""

    def __init__(
        self,
        place: LogOutput,
        name: str,
        standard: StandardError,
        monotonic: Callable[[], float],
        publish: Callable[[Event], None],
    ) -> None:
        """`name` is the place in the configuration. `publish` gets the events, one line each."""
        self._place = place
        self._name = name
        self._standard = standard
        self._monotonic = monotonic
        self._publish = publish
        self._retry_at = 0.0
        self.failure = ""  # why lines go to standard error now

    def write(self, lines: Sequence[LogLine]) -> None:
        """Write lines here or there. Raises nothing."""
        if self.failure and self._monotonic() < self._retry_at:
            self._standard.write(lines)
            return
        try:
            self._place.write(lines)
        except LinesUnwritten as unwritten:
            self._divert(unwritten)
        else:
            if self.failure:
                self.failure = ""
                self._publish(LogRestored(place=self._name))

    def reopen(self) -> None:
        """Open the place again for the next lines, also if it took none lately."""
        self._retry_at = 0.0
        self._place.reopen()

    def _divert(self, unwritten: LinesUnwritten) -> None:
        was_told = bool(self.failure)
        self.failure = f"{self._name}: {unwritten}"
        self._retry_at = self._monotonic() + RETRY_SECONDS
        self._standard.write(unwritten.left)
        if not was_told:
            without_path = OSError(unwritten.cause.errno, str(unwritten))
            self._publish(LogDiverted(place=self._name, error=without_path))


def _pieces(texts: Iterable[str]) -> Iterator[str]:
    """Join lines to pieces that a pipe takes as one, so that workers do not mix theirs.

    Limitation: a longer line, such as a traceback, is a piece that can be divided.
    """
    piece, octets = "", 0
    for text in texts:
        length = len(text.encode())
        if piece and octets + length > select.PIPE_BUF:
            yield piece
            piece, octets = "", 0
        piece, octets = piece + text, octets + length
    if piece:
        yield piece
