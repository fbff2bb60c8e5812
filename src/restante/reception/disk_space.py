"""Whether the disk has room for more mail: measured once a second, checked at every MAIL.

Below the reserve no new mail is accepted. The reserve is for mail already begun, for the records of
deliveries and deletions, and for other users of that disk.
"""

import os
from collections.abc import Callable
from pathlib import Path

from restante.store.store_errors import StoreError


def free_octets(directory: Path) -> int:
    """Return how much an unprivileged user may still write there. Raises OSError."""
    facts = os.statvfs(directory)
    return facts.f_bavail * facts.f_frsize


def size_octets(directory: Path) -> int:
    """Return how much an unprivileged user could write to the empty disk. Raises OSError."""
    facts = os.statvfs(directory)
    kept_for_root = facts.f_bfree - facts.f_bavail
    return (facts.f_blocks - kept_for_root) * facts.f_frsize


class DiskSpace:
    """The result of the last measurement."""

    def __init__(self, free: Callable[[], int | None] = lambda: 0, reserve: int = 0) -> None:
        """`free` returns the free octets, None without a limit. It may raise StoreError."""
        self._free = free
        self.reserve = reserve
        self.is_short = False
        self.free: int | None = None  # octets, at the last look; None: no limit, or not measured

    def set_reserve(self, reserve: int) -> None:
        """Compare with another reserve, in octets, from the next look on."""
        self.reserve = reserve

    def look(self) -> int | None:
        """Measure again. Return the free octets if room has run out or is back, otherwise None."""
        was_short = self.is_short
        try:
            free = self._free()
        except StoreError:  # the store will meet the same error and describe it better
            return None
        self.free = free
        self.is_short = free is not None and free < self.reserve
        return free if self.is_short != was_short else None
