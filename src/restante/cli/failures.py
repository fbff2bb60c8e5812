"""The end of a command: an exit code of sysexits, and a line on standard error for each error."""

import shutil
import sys
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any, Final, TextIO

from restante.cli.color import TextTone, painted_first, shows_color
from restante.cli.text_width import folded, width_of
from restante.mail.one_line import one_line

_PROGRAM: Final = "restante:"
_WARNING: Final = "warning:"


class Exit(IntEnum):
    """The exit codes in use, with the numbers of sysexits.h."""

    DONE = 0
    USAGE = 64
    DATA = 65
    NO_INPUT = 66  # a named record or file does not exist
    UNAVAILABLE = 69
    CANNOT_CREATE = 73  # a record or file exists already
    TRY_LATER = 75
    NOT_ALLOWED = 77
    CONFIGURATION = 78
    STOPPED = 130  # interrupted by the user; the code that shells use, not of sysexits


# by the kind of an API error (admin/admin_error.py)
BY_KIND = {
    "usage": Exit.USAGE,
    "invalid": Exit.DATA,
    "not-found": Exit.NO_INPUT,
    "exists": Exit.CANNOT_CREATE,
    "conflict": Exit.DATA,
    "stale": Exit.TRY_LATER,
    "not-allowed": Exit.NOT_ALLOWED,
    "unavailable": Exit.UNAVAILABLE,
    "try-later": Exit.TRY_LATER,
}


class Failure(Exception):  # noqa: N818
    """A command failed. Each text has thing, cause and remedy."""

    def __init__(self, code: Exit, *texts: str, problem: Mapping[str, Any] | None = None) -> None:
        """`problem` is the answer of the API, if it is the cause."""
        super().__init__(*texts)
        self.code = code
        self.texts = texts
        self.problem = problem or {}


def complain(*texts: str) -> None:
    """Write each text to standard error, on a line that begins with `restante:`."""
    for text in texts:
        _write(text)


def complain_of_failure(*texts: str) -> None:
    """Write each cause of a failure; a terminal shows the beginning of its line in red."""
    for text in texts:
        _write(text, _PROGRAM, TextTone.BAD)


def warn(texts: Iterable[str]) -> None:
    """Write warnings about a command that succeeded."""
    for text in texts:
        _write(f"{_WARNING} {text}", _WARNING, TextTone.WARNING)


def _write(text: str, mark: str = "", tone: TextTone | None = None) -> None:
    line = for_terminal(f"{_PROGRAM} {printable(text)}", sys.stderr)
    if mark and shows_color(sys.stderr):
        line = painted_first(line, mark, tone)
    print(line, file=sys.stderr)  # noqa: T201  output of the program


def for_terminal(line: str, stream: TextIO) -> str:
    """Return a line folded to the terminal's width, its other lines indented two more.

    A line stays whole where no terminal is, and where one of its words would be broken: people copy
    tokens and addresses.
    """
    if not stream.isatty() or width_of(line) <= (width := shutil.get_terminal_size().columns):
        return line
    words = line.lstrip()
    first = line[: len(line) - len(words)]
    hanging = f"{first}  "
    if max(map(width_of, words.split())) > width - width_of(hanging):
        return line
    return "\n".join(folded(words, width, first, hanging))


def printable(value: Any) -> str:
    """Return a value as text with control characters escaped."""
    return one_line("" if value is None else str(value))
