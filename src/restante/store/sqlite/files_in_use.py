"""Whether the files of an open store are still in their place, and as long as they must be.

A file that is removed or replaced stays readable and writable until the process ends, and is lost
then with its mail. So nothing is acknowledged into it. A database or a log that is cut has lost
pages, and the engine notices only when it reads one of them. The log's index says how long the log
must be: the engine writes frames first, and their number in the index after them.

Limitation: octets that another program writes over are noticed when they are read.
"""

import os
import struct
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from restante.store.sqlite.log_mark import LogMark
from restante.store.store_errors import StoreError

_REMOVED: Final = (
    "was removed or replaced while in use: put it back, or release or export the held mail before"
    " the server stops"
)
_CUT: Final = "was truncated while in use"
_EXTENT_AT: Final = 14  # place in the log's index
_EXTENT: Final = struct.Struct("=HI")  # octets of a page, and the number of frames in the log
_LOG_HEADER, _FRAME_HEADER = 32, 24


class FilesInUse:
    """Those of one open database, its log, and the directory of content. Any thread may ask."""

    def __init__(self, database: Path, content: Path, log_mark: LogMark) -> None:
        """Open the index of the log. A cut log is noted in `log_mark`. Raises OSError."""
        self._database = database
        self._log_mark = log_mark
        self._log = database.with_name(f"{database.name}-wal")
        self._index = -1
        self._looking = threading.Lock()
        self._least = 0  # octets of the database: the writer says how many it needs
        self._places = {
            path: place
            for path in (database, self._log, content)
            if (place := _place(path)) is not None
        }
        index = database.with_name(f"{database.name}-shm")
        if index.exists():
            self._index = os.open(index, os.O_RDONLY | os.O_CLOEXEC)
        self._least = self._size(database) or 0

    def close(self) -> None:
        """Let go of the index. Nobody may ask any more."""
        if self._index >= 0:
            os.close(self._index)
        self._index = -1

    @property
    def gone(self) -> str:
        """Say which file is no longer in its place, "" while all are."""
        for path, place in self._places.items():
            if _place(path) != place:
                return f"{path.name} {_REMOVED}"
        return ""

    @property
    def cut(self) -> str:
        """Say which file is shorter than it must be, "" while none is."""
        with self._looking:  # a size is compared with the number of the same moment
            return self._find_cut()

    def _find_cut(self) -> str:
        size = self._size(self._database)
        if size is not None and size < self._least:
            return f"{self._database.name} {_CUT}"
        needed = self._log_size()
        size = self._size(self._log)
        if size is None or size >= needed or size >= (needed := self._log_size()):
            return ""  # it may have begun again meanwhile, and be shorter since
        with suppress(OSError):
            self._log_mark.require(needed)
        return f"{self._log.name} {_CUT}"

    def need(self, octets: int) -> None:
        """Expect the database to keep so many of the octets that it has.

        Only the writer may ask: after each checkpoint, which makes the file longer, and before each
        that may make it shorter.
        """
        with self._looking:
            self._least = min(max(self._least, self._size(self._database) or 0), octets)

    def require_place(self) -> None:
        """Raise StoreError if a file is no longer in its place."""
        if gone := self.gone:
            raise StoreError(gone)

    def _size(self, path: Path) -> int | None:
        """Return the octets of a file in use, None if another has its place."""
        try:
            facts = path.stat()
        except OSError:
            return None
        is_in_place = self._places.get(path) == (facts.st_dev, facts.st_ino)
        return facts.st_size if is_in_place else None

    def _log_size(self) -> int:
        """Return the least octets of the log."""
        if self._index < 0:
            return 0
        octets = os.pread(self._index, _EXTENT.size, _EXTENT_AT)
        page_size, frames = _EXTENT.unpack(octets) if len(octets) == _EXTENT.size else (0, 0)
        return _LOG_HEADER + frames * (_FRAME_HEADER + page_size) if frames else 0


def _place(path: Path) -> tuple[int, int] | None:
    """Return the identity of the file that a name leads to, None without one."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino
