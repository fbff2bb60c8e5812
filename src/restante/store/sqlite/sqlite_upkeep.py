"""The upkeep of the whole store on SQLite."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import apsw

from restante.store.sqlite import engine
from restante.store.sqlite.backup import write_backup
from restante.store.sqlite.daemon_threads import DaemonThreads
from restante.store.sqlite.scrub import scrub
from restante.store.sqlite.store_core import StoreCore
from restante.store.sqlite.upgrade_copy import room_for_copy
from restante.store.store_care import ScrubSlice
from restante.store.store_errors import StoreError
from restante.store.upkeep_store import BackupCopy


class SqliteUpkeep:
    """An `UpkeepStore`."""

    content_absence = ""  # it has no large content elsewhere
    is_reachable = True  # its files stay open, wherever their names are

    def __init__(self, core: StoreCore) -> None:
        self._core = core
        self.is_proven = core.is_proven
        self.absence = ""  # set while a file in use is not the one of that name

    @property
    def failure(self) -> str:
        """Why the store must be reopened; "" while all is well."""
        return self._core.health.failure

    def free_octets(self) -> int:
        """Ask the file system for the room that a plain user has.

        Look too whether the files in use are in their place, and whole.
        """
        self.absence = self._core.in_use.gone
        if not self._core.is_closed and (cut := self._core.in_use.cut):
            self._core.health.damage(cut)
        try:
            return room_for_copy(self._core.path.parent)
        except OSError as error:
            raise StoreError(f"{self._core.path.parent}: {error.strerror or error}") from error

    async def scrub(self) -> AsyncIterator[ScrubSlice]:
        """Walk over everything, a slice at each step."""
        self._core.check()
        threads = DaemonThreads(1, "restante-scrub")
        walk = scrub(self._core.path, self._core.vfs, self._core.files.path(""))
        try:
            while found := await asyncio.get_running_loop().run_in_executor(
                threads, next, walk, None
            ):
                part, damaged = found
                await self._core.park(damaged)
                yield replace(part, damaged=len(damaged))
                self._core.check()
        except (apsw.Error, MemoryError, UnicodeDecodeError) as error:
            self._core.health.meet(error, "scrubbing")
            raise StoreError(f"scrubbing: {error}") from error
        finally:
            threads.submit(walk.close)
            threads.close(0.0)

    async def remove_left_content(self) -> int:
        """There is none elsewhere."""
        return 0

    async def remove_stray_content(self, grace: float) -> int:  # noqa: ARG002
        """There is none elsewhere."""
        return 0

    async def backup(self, directory: Path) -> BackupCopy:
        """Write a copy of everything, as at one moment."""
        self._core.check()
        try:
            return await asyncio.to_thread(
                write_backup, self._core.path, self._core.vfs, self._core.files, directory
            )
        except StoreError as error:
            if error.__cause__ is not None and engine.is_damage(
                error.__cause__
            ):  # of ours: the copy is only written
                self._core.health.meet(error.__cause__, "copying")
            raise
