"""The slot of a worker, kept in a file beside its control socket: a restart takes it again.

A slot of another process may be taken only when that process has surely ended. A lock (flock(2)) on
the file proves it on this machine: the kernel releases it when the process ends, however it ends.
So a worker that was killed has its slot back at once. Its former drains can be claimed then.

Limitation: a file system without working locks, such as some network mounts, proves nothing. A
`state_dir` belongs on a local disk.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from restante.store.postgres.postgres_transaction import NodeKey
from restante.store.store_errors import StoreUnusable

_LONGEST: Final = 64  # octets
_MODE: Final = 0o600


class SlotFile:
    """The file of one worker, locked until it is closed."""

    def __init__(self, path: Path) -> None:
        """Raises StoreUnusable if another process has it, or it cannot be opened."""
        try:
            self._opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        except OSError as error:
            raise StoreUnusable(
                f"{path}: {error.strerror}; let the server own its state_dir"
            ) from None
        try:
            fcntl.flock(self._opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._opened)
            raise StoreUnusable(f"{path}: another server has it; stop that one first") from None

    def former(self) -> NodeKey | None:
        """Return the slot that its last process had; None if it cannot be told."""
        try:
            slot, epoch = map(int, os.pread(self._opened, _LONGEST, 0).split())
        except ValueError:
            return None
        return NodeKey(slot, epoch)

    def keep(self, key: NodeKey) -> None:
        """Write the slot down. Raises OSError."""
        os.ftruncate(self._opened, 0)
        os.pwrite(self._opened, b"%d %d\n" % key, 0)

    def close(self) -> None:
        """Let others have it."""
        os.close(self._opened)
