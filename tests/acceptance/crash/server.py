"""The server, made to die at a named point: the same Application, with a store that is watched.

    python tests/acceptance/crash/server.py CONFIG POINT N

It kills itself (SIGKILL) when POINT is passed for the N-th time. The program has none of this code.

    spool-synced        large content is on disk with its directory entry; no row names it
    copy-linked         it has its second name, for the other account's message; no row names either
    before-commit       messages are submitted and nothing of them is written
    log-written         the transaction is in the write-ahead log, which is not synced
    log-synced          the commit is durable, and nobody has been told
    row-committed       the store has said that it holds; the 250 is not written
    checkpoint-begun    the log is being copied into the database
    checkpoint-synced   it has been, and the log is not yet used anew
    before-settle       the destination has said 250, and nothing of that is recorded
    settled             what it took is gone from the database
    file-unlinked       its content file too is going: the row is gone, and the file half the time
    drain-recorded      a drain is on record, and its asker not answered
    drain-taken         a drain that an earlier life has left is this one's, and does not run yet
    before-finish       a drain has handed over all that it knows of, and is still on record
    drain-finished      its end is on record, and nobody has been told
    log-sync-fails      no kill: the log cannot be synced, and the store must be opened again
    content-sync-fails  the same of a content file
    lie                 no point: each 250 is sent before the sync, which the campaign must notice
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import apsw

from restante.config.load import load
from restante.reception.intake import Intake, IntakeReceipt, ReceivedMail
from restante.server import server_life, server_start
from restante.store.content_store import OnDamage
from restante.store.interface import Store
from restante.store.sqlite import BALLAST, open_sqlite, spool, writer
from restante.store.sqlite.sqlite_handover import SqliteHandover
from restante.store.sqlite.sqlite_reception import SqliteReception
from restante.store.store_url import store_directory

RECEPTION: Final = (
    "spool-synced",
    "copy-linked",
    "before-commit",
    "log-written",
    "log-synced",
    "row-committed",
    "checkpoint-begun",
    "checkpoint-synced",
)
DELIVERY: Final = (
    "before-settle",
    "settled",
    "file-unlinked",
    "drain-recorded",
    "drain-taken",
    "before-finish",
    "drain-finished",
)
FAILURES: Final = ("log-sync-fails", "content-sync-fails")
LIE: Final = "lie"
POINTS: Final = (*RECEPTION, *DELIVERY)


class Fate:
    """Counts how often the point is passed."""

    def __init__(self, point: str, nth: int) -> None:
        assert point in (*POINTS, *FAILURES, LIE), point
        self._point = point
        self._left = nth
        self._lock = threading.Lock()

    def passes(self, point: str) -> None:
        """Die, if this is the one."""
        if self.has_come(point):
            os.kill(os.getpid(), signal.SIGKILL)

    def has_come(self, point: str) -> bool:
        """Count, and tell whether this is the one."""
        if point != self._point:
            return False
        with self._lock:
            self._left -= 1
            return self._left == 0


class FatedDisk(apsw.VFS):
    """SQLite's files, each write and sync of which may be the last."""

    name = "fated"

    def __init__(self, fate: Fate) -> None:
        self.fate = fate
        super().__init__(self.name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  SQLite's name for it
        return _FatedFile(self, name, flags)


class _FatedFile(apsw.VFSFile):
    def __init__(self, disk: FatedDisk, name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        self._fate = disk.fate
        self._is_log = bool(flags[0] & apsw.SQLITE_OPEN_WAL)

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        if not self._is_log:
            self._fate.passes("checkpoint-begun")

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self._is_log:
            self._fate.passes("log-written")
            if self._fate.has_come("log-sync-fails"):
                raise apsw.IOError("disk I/O error: fsync")
        super().xSync(flags)
        self._fate.passes("log-synced" if self._is_log else "checkpoint-synced")


def watch_methods(fate: Fate) -> None:
    """Put the points before and after methods of the store."""
    _around(SqliteReception, "hold", fate, before="before-commit", after="row-committed")
    _around(SqliteHandover, "settle", fate, before="before-settle", after="settled")
    _around(SqliteHandover, "open_drain", fate, after="drain-recorded")
    _around(SqliteHandover, "take_over", fate, after="drain-taken")
    _around(SqliteHandover, "finish_drain", fate, before="before-finish", after="drain-finished")
    _around(SqliteReception, "duplicate", fate, after="copy-linked")
    _around(spool.FileSpool, "close", fate, after="spool-synced")
    fsync = os.fsync

    def watched_fsync(number: Any) -> None:
        if fate.has_come("content-sync-fails"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(number)

    os.fsync = watched_fsync  # type: ignore[assignment]
    unlink = spool.ContentFiles._unlink

    def watched_unlink(self: Any, names: Any) -> None:
        present = list(names)
        unlink(self, present[: len(present) // 2])
        if present:
            fate.passes("file-unlinked")
        unlink(self, present[len(present) // 2 :])

    spool.ContentFiles._unlink = watched_unlink  # type: ignore[method-assign]


def tell_lies(fate: Fate) -> None:
    """Say 250 first, and hold then."""
    inner = Intake._hold

    async def hold(self: Intake, mails: list[ReceivedMail]) -> None:
        for mail in mails:
            self._answer(mail, IntakeReceipt(mail.name))
            mail.on_held = lambda _receipt: None
        await asyncio.sleep(0.02)  # the time that a disk takes
        fate.passes(LIE)
        await inner(self, mails)

    Intake._hold = hold  # type: ignore[method-assign]


def _around(owner: type, name: str, fate: Fate, *, before: str = "", after: str = "") -> None:
    inner: Callable[..., Any] = getattr(owner, name)

    async def watched(*arguments: Any, **options: Any) -> Any:
        fate.passes(before)
        answer = await inner(*arguments, **options)
        fate.passes(after)
        return answer

    setattr(owner, name, watched)


def main(config: str, point: str, nth: str) -> int:
    """Serve until the point is passed."""
    fate = Fate(point, int(nth))
    disk = FatedDisk(fate)
    if point.startswith("checkpoint"):
        writer.CHECKPOINT_OCTETS = 128 * 1024

    async def open_fated(
        url: str, *, on_damage: OnDamage | None = None, is_server: bool = False, **_: object
    ) -> Store:
        store = await open_sqlite(
            store_directory(url), on_damage=on_damage, vfs=disk.name, ballast=BALLAST * is_server
        )
        watch_methods(fate)  # only now: the opening is no part of it
        return store

    server_life.open_store = open_fated  # type: ignore[attr-defined]
    if point == LIE:
        tell_lies(fate)
    return server_start.run_server(load(Path(config)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
