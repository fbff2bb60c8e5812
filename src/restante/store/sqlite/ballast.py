"""A reserve of disk space for the store, given up when the disk is full so that mail can leave.

Removing a row needs room too: its pages go through the log, and the log into the database. Without
any, mail could not even leave. So a server keeps a file without content of use. When the engine
finds the disk full, the file is removed. From then on nothing is held (StoreFull) until the file
can be recreated. Changes that only remove or record go on in the remaining room, with a checkpoint
behind each group so that the log does not grow.

Limitation: a file system that compresses, or copies on write, may give back less than the file
seemed to take.
"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from restante.store.store_errors import StoreFull

BALLAST = 32 * 1024 * 1024
"""Octets: the most that a log of usual length adds to the database, and as much for the log."""

PAUSE = 1.0  # seconds before it may be recreated, if the disk says "full" for another reason

_TIMES = 2  # so many times its size must be free before it is recreated: it must last


class Ballast:
    """One store's. Used on the writer thread and on those that write content."""

    def __init__(self, path: Path, octets: int) -> None:
        """With `octets` 0 none is made or needed; one that is there can still be given up."""
        self._path = path
        self._octets = octets
        self._lock = threading.Lock()
        self._is_there = path.exists()
        self._not_before = 0.0  # on the monotonic clock

    @property
    def is_given_up(self) -> bool:
        """Whether the disk was full, and has not been found to have room since."""
        return bool(self._octets) and not self._is_there

    def prepare(self) -> None:
        """Before the store is opened: give it up if opening may need the room, else make it."""
        if self._free() < self._octets // _TIMES:
            self.give_up()
        elif not self._is_there:
            self._make()

    def require(self) -> None:
        """Raise StoreFull if mail may not be held because it would take the room for removals."""
        if self.is_given_up:
            self._make()
            if self.is_given_up:
                raise StoreFull("the disk is full")

    def give_up(self) -> bool:
        """Make room; False where there is none to be made."""
        with self._lock:
            had_any, self._is_there = self._is_there, False
            self._not_before = time.monotonic() + PAUSE
            self._remove()
        return had_any

    def _make(self) -> None:
        with self._lock:
            if self._is_there or not self._octets or time.monotonic() < self._not_before:
                return
            if self._free() < _TIMES * self._octets:
                return
            try:
                self._allocate()
            except OSError:
                self._remove()
            else:
                self._is_there = True

    def _remove(self) -> None:
        with suppress(OSError):
            self._path.unlink()

    def _allocate(self) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._octets)
        finally:
            os.close(descriptor)

    def _free(self) -> int:
        facts = os.statvfs(self._path.parent)
        return facts.f_bavail * facts.f_frsize
