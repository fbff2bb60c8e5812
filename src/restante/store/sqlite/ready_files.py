"""Empty content files that were made ahead, so that one sync of a directory serves many messages.

A file's name is durable once its directory was synced, also before there is content in the file.
So the first message that finds no file ready makes as many as messages are under way, in one
directory, and syncs that once. A message that comes alone has a sync to itself; many share one.

Files that nobody took are removed when the store is closed. After a crash the next start sweeps
them: no row names them.
"""

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

MOST: Final = 16  # files; more would hold descriptors, and save less than a sync in sixteen

_File = TypeVar("_File")


class ReadyFiles(Generic[_File]):
    """Those of one store. Any thread may ask."""

    def __init__(self, make: Callable[[int], list[_File]], under_way: Callable[[], int]) -> None:
        """`make` makes up to so many files with durable names, one at least. Raises OSError.

        `under_way` returns how many messages are being written.
        """
        self._make = make
        self._under_way = under_way
        self._lock = threading.Lock()
        self._ready: list[_File] = []

    def take(self) -> _File:
        """Return a file that is the caller's from now on. Raises OSError."""
        with self._lock:  # the others that wait here have their files once this one has
            if not self._ready:
                self._ready = self._make(max(1, min(self._under_way(), MOST)))
            return self._ready.pop()

    def take_all(self) -> list[_File]:
        """Return those that are left, without making any."""
        with self._lock:
            left, self._ready = self._ready, []
            return left
