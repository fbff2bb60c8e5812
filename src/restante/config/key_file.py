"""The key that seals stored secrets: 32 octets in a file that nobody else may read.

A group may read a file of root, as only root can have chosen that group. Kubernetes leaves its
secrets so, and PostgreSQL has the same rule for its keys.
"""

import os
import stat
from pathlib import Path
from shlex import quote

from restante.tenancy.sealed_secrets import KEY_OCTETS


class KeyUnusable(Exception):  # noqa: N818
    """The key file is missing, open to others, or no key. The text is file, cause and remedy."""

    def __init__(self, file: Path, cause: str, remedy: str) -> None:
        super().__init__(f"{file}: {cause}; {remedy}")
        self.cause = cause
        self.remedy = remedy


def read_key(file: Path) -> bytes:
    """Return the key. Raises KeyUnusable."""
    try:
        with file.open("rb") as stream:
            facts = os.fstat(stream.fileno())
            key = stream.read(KEY_OCTETS + 1)
    except FileNotFoundError:
        remedy = "restore it from your copy; for a new store, `restante init` makes one"
        raise KeyUnusable(file, "is not there", remedy) from None
    except OSError as error:
        raise KeyUnusable(
            file, f"cannot be read: {error.strerror}", "run as its owner, or as root"
        ) from None
    mode = facts.st_mode
    allowed = stat.S_IRWXU | (stat.S_IRGRP if facts.st_uid == 0 else 0)
    if stat.S_IMODE(mode) & ~allowed & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyUnusable(
            file,
            f"others may read it (mode {stat.S_IMODE(mode):04o})",
            f"chmod 600 {quote(str(file))}",
        )
    if len(key) != KEY_OCTETS:
        raise KeyUnusable(file, f"does not hold {KEY_OCTETS} octets", "restore it from your copy")
    return key
