"""A file for the log, which may be moved away at any time.

Before each write, the file at the path is compared with the open one. If it was moved or removed, a
new one is made. So logrotate needs to send no signal, and several processes can share a file: each
write appends whole lines.
"""

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from restante.telemetry.log_line import LogLine
from restante.telemetry.log_output import LinesUnwritten

FILE_MODE: Final = 0o640  # less the umask
# Without O_NONBLOCK, a FIFO that nobody reads would stop the process.
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class LogFile:
    """Appends lines to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: int | None = None  # its descriptor
        self._identity = (0, 0)  # device and inode of the open file
        self._is_torn = False  # it ends in a part of a line

    def write(self, lines: Sequence[LogLine]) -> None:
        """Append lines. Raises LinesUnwritten, such as on a full disk."""
        octets = [f"{line.text}\n".encode() for line in lines]
        data, start, written = b"".join(octets), 0, 0
        try:
            descriptor = self._descriptor()
            if self._is_torn:
                data, start = b"\n" + data, 1
            while written < len(data):
                written += os.write(descriptor, memoryview(data)[written:])
        except OSError as error:
            left = lines[_whole_lines(octets, written - start) :]
            raise LinesUnwritten(error, left) from None
        finally:
            if written:
                self._is_torn = data[written - 1 : written] != b"\n"

    def reopen(self) -> None:
        """Close the file: the next lines open the one at its path."""
        if self._open is not None:
            with suppress(OSError):  # of a delayed write, on some network file systems
                os.close(self._open)
            self._open, self._is_torn = None, False

    def _descriptor(self) -> int:
        """Return the open file, which is the one at the path."""
        if self._open is not None and self._identity != self._identity_at_path():
            self.reopen()
        if self._open is None:
            self._open = os.open(self._path, _FLAGS, FILE_MODE)
            facts = os.fstat(self._open)
            self._identity = (facts.st_dev, facts.st_ino)
            self._is_torn = stat.S_ISREG(facts.st_mode) and _ends_within_line(self._path)
        return self._open

    def _identity_at_path(self) -> tuple[int, int]:
        try:
            facts = os.stat(self._path)  # noqa: PTH116  before each write: Path costs more
        except OSError:
            return 0, 0
        return facts.st_dev, facts.st_ino


def _whole_lines(octets: Sequence[bytes], written: int) -> int:
    """Return how many lines are whole in so many octets."""
    end = 0
    for count, line in enumerate(octets):
        end += len(line)
        if end > written:
            return count
    return len(octets)


def _ends_within_line(path: Path) -> bool:
    """Return whether a file ends in a part of a line; False if it cannot be read."""
    try:
        with path.open("rb") as stream:
            if not stream.seek(0, os.SEEK_END):
                return False
            stream.seek(-1, os.SEEK_END)
            return stream.read(1) != b"\n"
    except OSError:
        return False
