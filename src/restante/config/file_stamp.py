"""The state of a file when it was read, so that a later change is noticed.

The facts of the directory entry show that something was done to a file, also if it cannot be read.
If it can, the content shows whether it differs.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

FileSignature = tuple[int, ...]
"""Facts of a file that change with it; () if it is not there."""


def signature(file: Path) -> FileSignature:
    """Return the facts of a file. Raises OSError where they cannot be seen."""
    try:
        facts = file.stat()
    except FileNotFoundError:
        return ()
    return (facts.st_dev, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size)


@dataclass(frozen=True, slots=True)
class FileStamp:
    """The state of one file."""

    signature: FileSignature
    digest: bytes

    @classmethod
    def of(cls, file: Path) -> "FileStamp":
        """Read a file. Raises OSError."""
        before = signature(file)  # first: a change in between must look like one
        return cls(before, _digest(file))

    def has_changed(self, file: Path) -> bool:
        """Tell whether the file has another content now, or is likely to. Blocks."""
        try:
            if signature(file) == self.signature:
                return False
            return _digest(file) != self.digest
        except FileNotFoundError:
            return True
        except OSError:  # it was touched, and nobody here can tell how
            return self._is_seen_changed(file)

    def _is_seen_changed(self, file: Path) -> bool:
        try:
            return signature(file) != self.signature
        except OSError:
            return False


def _digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()
