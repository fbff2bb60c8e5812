"""How a command ends: an exit code of sysexits, and for each thing that went wrong one line on standard error."""

import sys
from collections.abc import Iterable
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """The exit codes used, as sysexits.h numbers them."""

    DONE = 0
    USAGE = 64
    DATA = 65
    NO_INPUT = 66  # what was named is not there
    UNAVAILABLE = 69
    CANNOT_CREATE = 73  # what was to be made is there already
    TRY_LATER = 75
    NOT_ALLOWED = 77
    CONFIGURATION = 78
    STOPPED = 130  # by who runs the command, as a shell has it; not of sysexits


# by the kind that the API's problems carry (admin/admin_error.py)
BY_KIND = {
    "usage": Exit.USAGE,
    "invalid": Exit.DATA,
    "not-found": Exit.NO_INPUT,
    "exists": Exit.CANNOT_CREATE,
    "conflict": Exit.DATA,
    "not-allowed": Exit.NOT_ALLOWED,
    "unavailable": Exit.UNAVAILABLE,
    "try-later": Exit.TRY_LATER,
}


class Failure(Exception):  # noqa: N818
    """A command could not do it. Each of the texts names thing, cause and remedy."""

    def __init__(self, code: Exit, *texts: str) -> None:
        super().__init__(*texts)
        self.code = code
        self.texts = texts


def complain(*texts: str) -> None:
    """Write each text to standard error, one line each, with our name before it."""
    for text in texts:
        print(f"restante: {printable(text)}", file=sys.stderr)  # noqa: T201  this is what the program says


def warn(texts: Iterable[str]) -> None:
    """Say what the operator should look at, though it was done."""
    complain(*(f"warning: {text}" for text in texts))


def printable(value: Any) -> str:
    """Return a value as text in which no character does anything but appear."""
    text = "" if value is None else str(value)
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
