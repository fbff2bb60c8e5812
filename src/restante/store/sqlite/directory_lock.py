"""The lock of a data directory: one process at a time, for as long as it lives.

flock(2) and not a file's mere presence, so that no crash leaves anything to clean up. The process
id in the file, and the control socket of a server, are for people only.
"""

import contextlib
import fcntl
import os
from pathlib import Path
from shlex import quote

from restante.store.store_errors import StoreInUse, StoreUnusable

_LONGEST_RECORD = 8192  # octets: a process id and a path


class DirectoryLock:
    """Held from construction to `release`."""

    def __init__(self, directory: Path) -> None:
        """Raise StoreInUse, naming the process if that is known, where another holds it."""
        self._file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.fsdecode(os.read(self._file, _LONGEST_RECORD))
            os.close(self._file)
            raise _in_use(directory, holder) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def tell_socket(self, control: Path) -> None:
        """Record the control socket for the message that the directory is in use."""
        first = f"{os.getpid()}\n".encode()
        with contextlib.suppress(OSError):  # the message then names no socket
            os.pwrite(self._file, os.fsencode(control.absolute()) + b"\n", len(first))

    def release(self) -> None:
        """Let the next one in.

        The file stays: removing it would let two processes lock two files of one name.
        """
        os.close(self._file)


def lock_without_server(directory: Path) -> DirectoryLock:
    """Lock a directory for work beside which no server runs. Raises StoreUnusable, OSError."""
    try:
        return DirectoryLock(directory)
    except StoreInUse as error:
        raise StoreUnusable(error.without_it) from None


def _in_use(directory: Path, record: str) -> StoreInUse:
    holder, _, control = record.strip().partition("\n")
    process = f"process {holder}" if holder else "another process"
    through = (
        f"talk to it with `restante --socket {quote(control)} …`"
        if control
        else "talk to it through its control socket"
    )
    return StoreInUse(f"{directory} is in use by {process}", f"{through}, or stop it first")
