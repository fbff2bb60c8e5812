"""The end of a command: an exit code of sysexits, and one line with thing, cause and remedy."""

from __future__ import annotations

from enum import IntEnum


class ClientExit(IntEnum):
    """The exit codes in use, with the numbers of sysexits.h."""

    DONE = 0
    USAGE = 64
    DATA = 65
    NO_INPUT = 66  # a named file does not exist
    UNAVAILABLE = 69
    TRY_LATER = 75
    NOT_ALLOWED = 77
    STOPPED = 130  # interrupted by the user; the code that shells use, not of sysexits


class ClientFailure(Exception):  # noqa: N818
    """A command failed. The text has thing, cause and remedy."""

    def __init__(self, code: ClientExit, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def shown(text: str) -> str:
    """Return a text of a stranger as one line, its control characters escaped."""
    plain = " ".join(text.split())
    if plain.isprintable():
        return plain
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in plain)
