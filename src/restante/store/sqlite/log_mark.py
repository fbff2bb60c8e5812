"""A file that says: the write-ahead log has transactions, so it must be there at the next start.

SQLite takes a missing log for an empty one, and acknowledged mail in it would be missing in
silence. The file is made at each start, once a first transaction stands in the log. It is removed
at an orderly stop, before the log is emptied. Between the two the log is never empty: checkpoints
while the server runs do not shorten it to nothing. So no crash can leave the mark without a log.

It costs nothing while the store is in use. A number of the last commit could tell no more: it is
only current if each commit writes it, with a sync of its own.

If the log is found too short while the server runs, the mark says how long it was. Its remains look
like those of a power cut, so otherwise the next start would take them for all of it.

Limitation: a log that was replaced by an older one of the same database is not noticed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

MARK: Final = "log-expected"


class LogMark:
    """That of one database. Blocks."""

    def __init__(self, database: Path) -> None:
        self._log = database.with_name(f"{database.name}-wal")
        self._mark = database.with_name(MARK)

    @property
    def lost(self) -> str:
        """The log or its end, if that is lost, or "". Ask before the database is opened."""
        if not self._mark.exists():
            return ""
        if self._size >= self._least and self._size:
            return ""
        if self._size:
            return (
                f"its log {self._log.name} was truncated while in use: {self._size} octets of"
                f" {self._least} are left. To begin without the lost transactions, remove {MARK}"
            )
        return (
            f"its log {self._log.name} is missing or empty, though the last server did not stop in"
            f" order: put it back. If another program has closed the database, remove {MARK}"
        )

    @property
    def _size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    @property
    def _least(self) -> int:
        """Return the octets that the log must have; a mark without a number asks for one."""
        text = self._mark.read_text()
        return int(text) if text.isdecimal() else 1

    def require(self, octets: int) -> None:
        """Have the next start refuse a log that is shorter. Raises OSError."""
        self._mark.touch(mode=0o600)
        with self._mark.open("r+") as file:
            file.write(str(octets))
            file.flush()
            os.fsync(file.fileno())
        self._sync()

    def leave(self) -> None:
        """Make the mark durable. Call it when a transaction stands in the log. Raises OSError."""
        if self._size and not self._mark.exists():
            self._mark.touch(mode=0o600)
            self._sync()

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Take the mark away to empty the log. It is left again if something stays in the log."""
        with suppress(OSError):
            self._mark.unlink()
            self._sync()
        yield
        with suppress(OSError):
            self.leave()

    def _sync(self) -> None:
        descriptor = os.open(self._mark.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
