"""Whether the disk has room for more mail: looked at once a second, asked at every MAIL.

Below the reserve no new mail is begun, while there is still room for what has begun, for the records of what is handed
over and deleted, and for whatever else lives on that disk.
"""

import os
from collections.abc import Callable
from pathlib import Path


def free_octets(directory: Path) -> int:
    """Return how much a plain user may still write there. Raises OSError."""
    facts = os.statvfs(directory)
    return facts.f_bavail * facts.f_frsize


def size_octets(directory: Path) -> int:
    """Return how much a plain user could write there if the disk were empty. Raises OSError."""
    facts = os.statvfs(directory)
    kept_for_root = facts.f_bfree - facts.f_bavail
    return (facts.f_blocks - kept_for_root) * facts.f_frsize


class DiskSpace:
    """What the last look has found."""

    def __init__(self, free: Callable[[], int] = lambda: 0, reserve: int = 0) -> None:
        """`free` tells how many octets there are; `reserve` may be replaced at any time."""
        self._free = free
        self.reserve = reserve
        self.is_short = False

    def look(self) -> int | None:
        """Look again. Returns the octets that are free if room has come to an end or back, else None."""
        was_short = self.is_short
        try:
            free = self._free()
        except OSError:  # the store will meet the same, and say more about it
            return None
        self.is_short = free < self.reserve
        return free if self.is_short != was_short else None
