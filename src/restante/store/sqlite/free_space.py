"""Pages of the database that are free, and their return to the file system.

After a drain most pages of a database may be free. New mail uses them again. If they are many, the
file is made shorter, a step at a time, so that a change waits for one step at most. Between steps
is a pause, in which the disk serves others. A step moves the last pages of the file to free places
in front of them, and a checkpoint cuts the file.

Limitation: a database that was made before pages could be moved keeps its length (`is_movable`).
`restante store move` makes a new one of it.
"""

from typing import Final

import apsw

from restante.store.sqlite.engine import page_size_of

STEP_OCTETS: Final = 1024 * 1024
"""Octets of a step. Measured: 0.5 ms of CPU, and 1.7 ms (at most 9) where mail is moved."""

KEPT_OCTETS: Final = 64 * 1024 * 1024
"""Free octets that stay for the next mail: to lengthen a file again costs more than its room."""

PAUSE_SECONDS: Final = 0.05
_MOST_SHARE: Final = 4  # of the file may be free before the return begins: a quarter
_INCREMENTAL: Final = 2


def has_too_many(free: int, octets: int) -> bool:
    """Tell whether so many free octets of all are worth the work. Pure."""
    return free > KEPT_OCTETS and free * _MOST_SHARE > octets


class FreeSpace:
    """The free pages of one open database. Belongs to the thread that writes."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._page_size = page_size_of(connection)
        self._is_movable = int(connection.pragma("auto_vacuum")) == _INCREMENTAL
        self.is_returning = False

    @property
    def octets(self) -> int:
        """The length of the database's file once a checkpoint has been made."""
        return int(self._connection.pragma("page_count")) * self._page_size

    @property
    def _free(self) -> int:
        """The octets of its free pages."""
        return int(self._connection.pragma("freelist_count")) * self._page_size

    def look(self) -> None:
        """Begin to return pages if too many are free."""
        if self._is_movable and not self.is_returning:
            self.is_returning = has_too_many(self._free, self.octets)

    def return_step(self) -> None:
        """Return some pages, in a transaction of its own. Raises apsw.Error."""
        surplus = self._free - KEPT_OCTETS
        self.is_returning = False  # unless this step succeeds
        if surplus <= 0:
            return
        with self._connection:
            step = min(STEP_OCTETS, surplus)
            pages = step // self._page_size
            self._connection.execute(f"PRAGMA incremental_vacuum({pages})").fetchall()
        self.is_returning = surplus > step
