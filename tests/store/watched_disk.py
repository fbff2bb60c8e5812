"""A disk that counts syncs and octets, and fails when told to: a VFS under the connections."""

from collections import Counter
from itertools import count
from typing import Any

import apsw

_NUMBERS = count()


class WatchedDisk(apsw.VFS):
    """Passes all calls to the system's files, "wal" and "db", except those told to fail."""

    def __init__(self) -> None:
        self.name = f"watched-{next(_NUMBERS)}"
        self.syncs: list[str] = []  # which kind of file, for each sync
        self.octets: Counter[str] = Counter()  # written, by kind of file
        self._failures: dict[tuple[str, str], Exception] = {}
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  its name
        return _WatchedFile(self, name, flags)

    def fails_to(self, verb: str, kind: str, error: Exception) -> None:
        """From now on, "sync", "write" or "read" fails on files of this kind."""
        self._failures[verb, kind] = error

    def is_sound(self) -> None:
        """From now on nothing fails."""
        self._failures.clear()

    def meet(self, verb: str, kind: str) -> None:
        """Raise what a test wants to be raised here."""
        if error := self._failures.get((verb, kind)):
            raise error


class _WatchedFile(apsw.VFSFile):
    def __init__(self, disk: WatchedDisk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._disk = disk
        self._kind = "wal" if flags[0] & apsw.SQLITE_OPEN_WAL else "db"

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._disk.meet("read", self._kind)
        return super().xRead(amount, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.syncs.append(self._kind)
        self._disk.meet("sync", self._kind)
        super().xSync(flags)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        self._disk.octets[self._kind] += len(data)
        self._disk.meet("write", self._kind)
        super().xWrite(data, offset)


def failed_read() -> apsw.IOError:
    """SQLite's error for a sector that cannot be read."""
    error = apsw.IOError("disk I/O error: read")
    vars(error)["extendedresult"] = apsw.SQLITE_IOERR_READ
    return error


def failed_sync() -> apsw.IOError:
    """SQLite's error for a failed fsync."""
    return apsw.IOError("disk I/O error: fsync")
