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

from restante.store.sqlite.engine import PAGE_SIZE

STEP_PAGES: Final = 256
"""Pages of a step: 4 MiB. Measured: 1.4 ms of CPU, and a sync of the few pages that changed."""

KEPT_PAGES: Final = 64 * 1024 * 1024 // PAGE_SIZE
"""Free pages that stay for the next mail: to lengthen a file again costs more than its room."""

PAUSE_SECONDS: Final = 0.05
_MOST_SHARE: Final = 4  # of the pages may be free before the return begins: a quarter
_INCREMENTAL: Final = 2


def has_too_many(free: int, pages: int) -> bool:
    """Tell whether so many free pages are worth the work. Pure."""
    return free > KEPT_PAGES and free * _MOST_SHARE > pages


class FreeSpace:
    """The free pages of one open database. Belongs to the thread that writes."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._is_movable = int(connection.pragma("auto_vacuum")) == _INCREMENTAL
        self.is_returning = False

    @property
    def octets(self) -> int:
        """The length of the database's file once a checkpoint has been made."""
        return int(self._connection.pragma("page_count")) * PAGE_SIZE

    def look(self) -> None:
        """Begin to return pages if too many are free."""
        if self._is_movable and not self.is_returning:
            free = int(self._connection.pragma("freelist_count"))
            self.is_returning = has_too_many(free, int(self._connection.pragma("page_count")))

    def return_step(self) -> None:
        """Return some pages, in a transaction of its own. Raises apsw.Error."""
        surplus = int(self._connection.pragma("freelist_count")) - KEPT_PAGES
        self.is_returning = False  # unless this step succeeds
        if surplus <= 0:
            return
        with self._connection:
            step = min(STEP_PAGES, surplus)
            self._connection.execute(f"PRAGMA incremental_vacuum({step})").fetchall()
        self.is_returning = surplus > step
