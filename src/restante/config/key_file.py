"""The key that seals stored secrets: 32 octets in a file that nobody else may read.

After a rotation, its former keys are behind it. They open what was sealed before.

A group may read a file of root, as only root can have chosen that group. Kubernetes leaves its
secrets so, and PostgreSQL has the same rule for its keys.
"""

import os
import stat
from pathlib import Path
from shlex import quote
from typing import Final

from restante.tenancy.sealed_secrets import KEY_OCTETS, new_sealing_key

MOST_KEYS: Final = 64


class KeyUnusable(Exception):  # noqa: N818
    """The key file is missing, open to others, or no key. The text is file, cause and remedy."""

    def __init__(self, file: Path, cause: str, remedy: str) -> None:
        super().__init__(f"{file}: {cause}; {remedy}")
        self.cause = cause
        self.remedy = remedy


def read_key(file: Path) -> bytes:
    """Return the key, and then its former ones. Raises KeyUnusable."""
    try:
        with file.open("rb") as stream:
            facts = os.fstat(stream.fileno())
            key = stream.read(KEY_OCTETS * MOST_KEYS + 1)
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
    if not key or len(key) % KEY_OCTETS or len(key) > KEY_OCTETS * MOST_KEYS:
        raise KeyUnusable(
            file, f"does not hold {KEY_OCTETS} octets for each key", "restore it from your copy"
        )
    return key


def add_key(file: Path) -> None:
    """Put a new key in front of those of the file. Raises KeyUnusable, OSError.

    The file is replaced whole, with its owner and mode: after a crash it has the old keys, or all.
    If the name is a symbolic link, the file that it names is replaced, and the link stays.
    """
    file = file.resolve()
    keys = read_key(file)
    if len(keys) >= KEY_OCTETS * MOST_KEYS:
        raise KeyUnusable(file, f"has {MOST_KEYS} keys already", "it cannot be rotated again")
    facts = file.stat()
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchown(descriptor, facts.st_uid, facts.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(facts.st_mode))
        stream.write(new_sealing_key() + keys)
        stream.flush()
        os.fsync(descriptor)
    draft.replace(file)
    sync_directory(file.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
