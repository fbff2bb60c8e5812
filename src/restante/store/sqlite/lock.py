"""The lock of a data directory: one process at a time, for as long as it lives.

flock(2) and not a file's mere presence, so that no crash leaves anything to clean up. The process
id in the file is for people only.
"""

import fcntl
import os
from pathlib import Path

from restante.store.store_errors import StoreUnusable

_LONGEST_PID = 32  # octets


class DirectoryLock:
    """Held from construction to `release`."""

    def __init__(self, directory: Path) -> None:
        """Raise StoreUnusable, naming the process if that is known, where another holds it."""
        self._file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._file, _LONGEST_PID).decode("ascii", "replace").strip()
            os.close(self._file)
            raise StoreUnusable(_in_use(directory, holder)) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let the next one in.

        The file stays: removing it would let two processes lock two files of one name.
        """
        os.close(self._file)


def _in_use(directory: Path, holder: str) -> str:
    process = f"process {holder}" if holder else "another process"
    return (
        f"{directory} is in use by {process}: stop it first, or talk to it through its control"
        " socket"
    )
