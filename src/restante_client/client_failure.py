"""The end of a command: an exit code of sysexits, and one line with thing, cause and remedy."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Dict  # Python 3.8 has no dict[…] at run time


class ClientExit(IntEnum):
    """The exit codes in use, with the numbers of sysexits.h."""

    DONE = 0
    CHECK_FAILS = 2  # a row of the check of a domain; as of `restante domain check`
    USAGE = 64
    DATA = 65
    NO_INPUT = 66  # a named file does not exist
    UNAVAILABLE = 69
    SOFTWARE = 70  # a fault of this program
    TRY_LATER = 75
    NOT_ALLOWED = 77
    STOPPED = 130  # interrupted by the user; the code that shells use, not of sysexits


class ClientFailure(Exception):  # noqa: N818
    """A command failed. The text has thing, cause and remedy; `details` are further JSON fields."""

    def __init__(self, code: ClientExit, text: str, details: Dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.details = details or {}


def shown(text: str) -> str:
    """Return a text of a stranger as one line, its control characters escaped."""
    plain = " ".join(text.split())
    if plain.isprintable():
        return plain
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in plain)


def is_utf8(text: str) -> bool:
    """Tell whether a text can be sent; arguments and standard input let other octets through."""
    try:
        text.encode()
    except UnicodeError:
        return False
    return True


def unexpected_failure(error: Exception) -> ClientFailure:
    """Return a fault of this program as a failure that names its place."""
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        trace = trace.tb_next
    cause = f"{type(error).__name__}: {error}".rstrip(": ")
    return ClientFailure(
        ClientExit.SOFTWARE,
        f"unexpected {cause[:300]} at {place}; this is a fault of the program: please report it",
    )
