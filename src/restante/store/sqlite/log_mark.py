"""A file that says: the write-ahead log has transactions, so it must be there at the next start.

SQLite takes a missing log for an empty one, and acknowledged mail in it would be missing in
silence. The file is made at each start, once a first transaction stands in the log. It is removed
at an orderly stop, before the log is emptied. Between the two the log is never empty: checkpoints
while the server runs do not shorten it to nothing. So no crash can leave the mark without a log.

It costs nothing while the store is in use. A number of the last commit could tell no more: it is
only current if each commit writes it, with a sync of its own.

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
        """The whole log, if it is lost, or "". Ask before the database is opened."""
        if not self._mark.exists() or self._has_log:
            return ""
        return (
            f"its log {self._log.name} is missing or empty, though the last server did not stop in"
            f" order: put it back. If another program has closed the database, remove {MARK}"
        )

    @property
    def _has_log(self) -> bool:
        return self._log.exists() and self._log.stat().st_size > 0

    def leave(self) -> None:
        """Make the mark durable. Call it when a transaction stands in the log. Raises OSError."""
        if self._has_log and not self._mark.exists():
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
