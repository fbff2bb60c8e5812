"""A store whose disk fails and whose machine crashes. Committed data always stays.

Writes take time and can fail. A crash can come before the commit, or after it and before its caller
is told. The records are those of a store on SQLite (sqlite_disk.py), or of the memory store. The
latter survive a crash as if they were on a disk, and their writes wait for one another.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

from restante.store.content_store import OnDamage
from restante.store.duty_locks import DutyLocks
from restante.store.interface import Store
from restante.store.memory import MemoryStore
from restante.store.memory.memory_message import listed
from restante.store.queue_store import QueuedMessage, QueueFilter
from restante.store.store_errors import StoreError, StoreFull
from tests.simulation.network import Machine, here
from tests.simulation.trace import Trace

_WRITES: Final = {
    *(
        "hold",
        "settle",
        "open_drain",
        "take_over",
        "give_back",
        "ask_stop",
        "finish_drain",
        "close_drain",
        "follow_drain",
    ),
    *("record", "delete", "bounce", "expire"),
    *("put_account", "remove_account", "put_login", "remove_login", "put_domain", "remove_domain"),
    *("put_channel", "remove_channel", "change_list", "learn", "keep_mark", "release_refused"),
    *("settle_reports", "hasten_reports", "drop_reports", "tell_of_delay", "keep_notices"),
    *("settle_notices", "hasten_notices", "duplicate"),
}
_NAME: Final = re.compile(rb"\sid (\S+?)(?:;|\s)")
COMMIT_SECONDS: Final = 0.03  # at most


@dataclass(frozen=True)
class StoredMail:
    """One message in the store. Its name is in the head: some messages share one name."""

    head: bytes
    queued: QueuedMessage

    @property
    def name(self) -> str:
        """The name that our Received field has."""
        found = _NAME.search(self.head)
        assert found is not None
        return found[1].decode()


@dataclass
class Disk:
    """The data that survives, and its present state."""

    dice: Random
    trace: Trace
    failure: type[StoreError] | None = None  # of every write, while it is set
    is_broken: bool = False  # a sync failed: the store must be opened again
    crash_at: tuple[str, bool] | None = None  # the method, and whether its commit is made before
    on_crash: Callable[[], None] = lambda: None
    opened: int = 0
    _records: MemoryStore = field(default_factory=MemoryStore)

    async def open(self, _on_damage: OnDamage | None = None) -> "FaultyStore":
        """Return the store as this machine sees it."""
        self.is_broken = False
        self.opened += 1
        return FaultyStore(self, here(), self._records)

    async def close(self, _store: "FaultyStore") -> None:
        """Nothing is open."""

    def mail(self) -> list[StoredMail]:
        """Return all mail that is stored."""
        return [
            StoredMail(record.message.head, listed(record, QueueFilter()))
            for record in self._records.state.mail.values()
        ]

    def fills_up(self) -> None:
        """Have no more room."""
        self.failure = StoreFull

    def goes_away(self) -> None:
        """Fail each write for another reason."""
        self.failure = StoreError


class FaultyStore:
    """A `Store`, opened by one machine."""

    def __init__(
        self, disk: Disk, machine: Machine, records: Store, *, is_serial: bool = True
    ) -> None:
        """`is_serial`: one write after the other, where `records` make no groups of them."""
        self._disk = disk
        self._machine = machine
        self._records = records
        self._writer = asyncio.Lock() if is_serial else nullcontext()
        self.duties = DutyLocks()  # of the process: a crash ends them

    def __getattr__(self, name: str) -> Any:
        """Return a part of the store."""
        return _FaultyPart(self, getattr(self._records, name))

    def apart(self) -> "FaultyStore":
        """Return itself: nothing here waits for a thread."""
        return self

    @property
    def broken(self) -> str:
        """The reason to open it again."""
        return "a sync failed" if self._disk.is_broken else ""

    @property
    def is_on(self) -> bool:
        """Whether its machine runs."""
        return self._machine.is_alive

    async def close(self) -> None:
        """Close it, unless the machine has crashed."""
        await self._disk.close(self)

    async def write(self, name: str, method: Any, *args: Any, **kwargs: Any) -> Any:
        """Write even if the caller is cancelled meanwhile."""
        commit = asyncio.create_task(self._commit(name, method, *args, **kwargs))
        commit.add_done_callback(_look_at)
        return await asyncio.shield(commit)

    async def _commit(self, name: str, method: Any, *args: Any, **kwargs: Any) -> Any:
        async with self._writer:
            disk = self._disk
            await asyncio.sleep(disk.dice.uniform(0.0, COMMIT_SECONDS))
            self._check_alive()
            if disk.is_broken:
                raise StoreError("a sync failed; the store must be opened again")
            if disk.failure is not None:
                raise disk.failure("the disk does not take it")
            if disk.crash_at == (name, False):
                self._crash(name, "before")
            answer = await method(*args, **kwargs)
            if disk.crash_at == (name, True):
                self._crash(name, "after")
            await asyncio.sleep(disk.dice.uniform(0.0, COMMIT_SECONDS))
            self._check_alive()
            return answer

    def _crash(self, name: str, moment: str) -> None:
        self._disk.crash_at = None
        self._disk.trace.note("disk", f"crash {moment} the commit of {name}")
        self._disk.on_crash()
        self._check_alive()

    def _check_alive(self) -> None:
        if not self._machine.is_alive:
            raise StoreError("the machine is off")


class _FaultyPart:
    """One part of the store."""

    def __init__(self, store: FaultyStore, part: Any) -> None:
        self._store = store
        self._part = part

    @property
    def failure(self) -> str:
        """The reason to open it again (part `care`)."""
        return self._store.broken

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._part, name)
        return partial(self._store.write, name, method) if name in _WRITES else method


def _look_at(commit: "asyncio.Task[Any]") -> None:
    """Take note of a failure that nobody awaits any more."""
    if not commit.cancelled():
        commit.exception()
