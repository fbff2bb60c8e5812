"""Passwords and tokens: from a file, from standard input, or from a credential of systemd."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from restante_client.client_failure import ClientExit, ClientFailure, is_utf8

CREDENTIAL = "credential:"
_MAX_SECRET = 16_384  # octets


def read_secret(place: str) -> str:
    """Return the first line of a file; `-` is standard input, `credential:NAME` of systemd.

    Raises ClientFailure.
    """
    try:
        if place == "-":
            text = sys.stdin.readline(_MAX_SECRET)
        else:
            with credential_path(place).open(encoding="utf-8") as file:
                text = file.read(_MAX_SECRET)
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise ClientFailure(
            ClientExit.NO_INPUT,
            f"{place}: {cause}; name a file with the password or token in its first line",
        ) from None
    secret = text.partition("\n")[0].rstrip("\r")
    if not is_utf8(secret):
        raise ClientFailure(ClientExit.NO_INPUT, f"{place}: is not UTF-8 text; write it as UTF-8")
    if not secret:
        raise ClientFailure(
            ClientExit.USAGE, f"{place}: its first line is empty; write the password or token there"
        )
    return secret


def public_file(place: str | None) -> str:
    """Return the place if it is a file that all users can read, and nothing otherwise."""
    if not place or place == "-" or place.startswith(CREDENTIAL) or os.name != "posix":
        return ""
    try:
        found = os.stat(place)  # noqa: PTH116  the shortest way for a text
    except OSError:
        return ""
    is_public = stat.S_ISREG(found.st_mode) and found.st_mode & stat.S_IROTH
    return place if is_public else ""


def credential_path(place: str) -> Path:
    """Return the path of a file, or of a credential of systemd. Raises ClientFailure."""
    if not place.startswith(CREDENTIAL):
        return Path(place)
    directory = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not directory:
        raise ClientFailure(
            ClientExit.NO_INPUT,
            f"{place}: $CREDENTIALS_DIRECTORY is not set; set LoadCredential= in the unit",
        )
    return Path(directory, Path(place[len(CREDENTIAL) :]).name)
