"""A disk with a store on SQLite, and its threads done away with: work is done on the event loop.

The writer makes a group of changes at a moment that chance chooses, and answers at another one. So
changes that come in between are one group, and a crash can come before the commit, or after it and
before anybody is told. A crash leaves the files as they are at that moment, without a checkpoint.
The next life gets a copy of them, without the index of the log in shared memory.

Limitation: a commit that is made is on the disk. Power cuts that lose unsynced writes, and failed
syncs, are the subject of tests/store/test_power_loss.py and test_failing_disk.py.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, Final, TypeVar
from unittest.mock import patch

from restante.store.content_store import OnDamage
from restante.store.queue_store import QueueFilter
from restante.store.sqlite import (
    engine,
    mail_reading,
    open_sqlite,
    readers,
    spool,
    sqlite_upkeep,
    store_core,
    writer,
)
from restante.store.sqlite.ledger import LedgerBalance
from restante.store.sqlite.sqlite_store import SqliteStore
from restante.store.sqlite.write_transaction import SqliteChange
from restante.store.sqlite.writer import StoreWriter
from restante.store.store_errors import StoreError
from tests.simulation.faulty_store import COMMIT_SECONDS, Disk, FaultyStore, StoredMail
from tests.simulation.network import here
from tests.simulation.virtual_loop import InlineExecutor, VirtualLoop

_ALL: Final = QueueFilter(limit=1_000_000)
_LEFT_OUT: Final = shutil.ignore_patterns("*-shm", "lock")


class SqliteDisk(Disk):
    """Its data are files. `place` is a directory for them."""

    place: Path
    _store: SqliteStore | None = None

    async def open(self, on_damage: OnDamage | None = None) -> FaultyStore:
        """Open the store as this machine sees it."""
        self._crash_files()
        self.is_broken = False
        self.opened += 1
        self._store = await open_sqlite(self._directory, on_damage=on_damage)
        return FaultyStore(self, here(), self._store, is_serial=False)

    async def close(self, store: FaultyStore) -> None:
        """Close the store of a machine that is on."""
        opened = self._store
        if opened is None or not store.is_on:
            return
        if self.is_broken:
            opened.core.health.fail("a sync failed")
        self._store = None
        await opened.close()

    def mail(self) -> list[StoredMail]:
        """Read it as another process would."""
        if not (self._directory / "restante.db").exists():
            return []
        connection = engine.open_reader(self._directory / "restante.db")
        try:
            heads: dict[int, bytes] = dict(
                engine.fetch(connection, "SELECT number, head FROM message")
            )
            return [
                StoredMail(heads[one.number], one) for one in mail_reading.queue(connection, _ALL)
            ]
        finally:
            connection.close()

    @property
    def _directory(self) -> Path:
        """Return the data directory: a new one after each crash."""
        return max(self.place.glob("data*"), default=self.place / "data0000")

    def _crash_files(self) -> None:
        """Leave the files of a machine that has crashed as they are, and copy them for the next."""
        crashed, self._store = self._store, None
        if crashed is None:
            return
        left, core = self._directory, crashed.core
        shutil.copytree(left, left.with_name(f"data{self.opened:04}"), ignore=_LEFT_OUT)
        core.is_closed = True  # a task of the dead machine would wait for a connection
        for each in (core.readers, core._readers_apart):
            while not each._idle.empty():
                each._idle.get().close()
        engine.close_without_checkpoint(core.writer._connection)
        core._lock.release()
        shutil.rmtree(left)


class _UnhurriedWriter(StoreWriter):
    """A writer without a thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._machine = here()
        self._is_due = False

    def submit(self, change: SqliteChange) -> "asyncio.Future[Any]":
        answer = super().submit(change)
        if not self._is_due:
            self._is_due = True
            self._later(self._commit_group)
        return answer

    def _later(self, work: Callable[..., None], *args: Any) -> None:
        loop = self._loop
        assert isinstance(loop, VirtualLoop)
        loop.call_later(loop.dice.uniform(0.0, COMMIT_SECONDS), work, *args)

    def _commit_group(self) -> None:
        self._is_due = False
        group = [] if self._queue.empty() else [one for one in self._take() if one is not None]
        if self._machine.is_alive:
            self._serve(group)
            self._checkpoint_if_due()
        else:
            self._give_up(one.answer for one in group)

    def _answer(self, answers: list[Any], balance: LedgerBalance | None = None) -> None:
        self._later(self._hand_back_alive, answers, balance)

    def _hand_back_alive(self, answers: list[Any], balance: LedgerBalance | None) -> None:
        if self._machine.is_alive:
            self._hand_back(answers, balance)
        else:
            self._give_up(one.waiting.answer for one in answers)

    def _give_up(self, answers: Iterable["asyncio.Future[Any]"]) -> None:
        """Let nobody wait for a machine that is off."""
        for answer in answers:
            if not answer.done():
                answer.set_exception(StoreError("the machine is off"))


class _NoThread:
    """In place of the writer's thread: its work is done when its end is awaited."""

    def __init__(self, target: Callable[[], None], **_: Any) -> None:
        self._target = target

    def start(self) -> None:
        pass

    def join(self) -> None:
        self._target()


T = TypeVar("T")


class _NoThreads(InlineExecutor):
    """In place of the threads for reads and content files."""

    def do(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        return asyncio.wrap_future(self.submit(work))

    def close(self, _seconds: float) -> bool:
        return True


@contextmanager
def without_threads(disk: SqliteDisk) -> Iterator[None]:
    """Give a disk its place, and let everything on it happen on the event loop."""
    memory = Path("/dev/shm")
    replaced: list[tuple[Any, str, Any]] = [
        (store_core, "StoreWriter", _UnhurriedWriter),
        (writer, "threading", SimpleNamespace(Thread=_NoThread)),
        (readers, "DaemonThreads", _NoThreads),
        (spool, "DaemonThreads", _NoThreads),
        (sqlite_upkeep, "DaemonThreads", _NoThreads),
    ]
    with ExitStack() as stack:
        place = TemporaryDirectory(dir=memory if memory.is_dir() else None)
        disk.place = Path(stack.enter_context(place))
        for target, name, instead in replaced:
            stack.enter_context(patch.object(target, name, instead))
        yield
