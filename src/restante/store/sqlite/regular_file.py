"""Opens content files: only files that we wrote, so only regular files, and never through a link.

A FIFO or a device in a content file's place would block a thread without end, and a link would hand
over another file.
"""

import errno
import os
import stat
import zlib
from pathlib import Path

BLOCK = 256 * 1024
"""Octets read at a time."""

_CURABLE = (
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.EACCES,
    errno.EPERM,
    errno.EINTR,
    errno.EAGAIN,
)
_UNREADABLE = (errno.EIO, errno.EBADMSG, errno.EUCLEAN)


def open_regular(path: Path) -> int:
    """Open a regular file for reading and return its descriptor. Raises OSError.

    Never waits for a writer.
    """
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(errno.EINVAL, "is not a regular file")
    return number


def is_curable(error: OSError) -> bool:
    """Tell whether an error is ours and not the file's: another try may find the file whole."""
    return error.errno in _CURABLE


def is_within_reach(path: Path) -> bool:
    """Tell whether the directory of a file is there: without it no file is to blame."""
    return path.parent.is_dir()


def is_unreadable(error: OSError) -> bool:
    """Tell whether the disk or the file system cannot return what was written."""
    return error.errno in _UNREADABLE


def what_is_wrong(error: OSError) -> str:
    """Say it as it follows the name of the file."""
    if error.errno == errno.ENOENT:
        return "is missing"
    if error.errno in (errno.EINVAL, errno.ELOOP, errno.ENXIO, errno.EISDIR):
        return "is not a regular file"
    return f"cannot be read: {error.strerror}"


def look_at(path: Path, beginning: int) -> tuple[int, int, bytes]:
    """Read all of a file; return its size, its CRC-32 and so many of its first octets.

    Raises OSError. Blocks.
    """
    number = open_regular(path)
    try:
        size = crc32 = 0
        first = b""
        while block := os.read(number, BLOCK):
            first += block[: max(0, beginning - len(first))]
            size, crc32 = size + len(block), zlib.crc32(block, crc32)
    finally:
        os.close(number)
    return size, crc32, first
