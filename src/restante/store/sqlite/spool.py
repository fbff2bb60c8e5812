"""Large content in files: written before the row that names it, removed after the row.

    create, fsync directory │ write … fsync file │ row committed │ … row removed, committed │ unlink
         a crash here leaves an orphan           │  held, whole  │  a crash here leaves an orphan

Files without a row are swept when the store is opened, where the lock says that nobody is writing
one. Files are made ahead, several with one sync of their directory (ready_files.py). Each held
message owns its file: the second holder of one content gets a second name for it.
"""

import errno
import os
import secrets
import threading
import zlib
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar
from weakref import WeakSet

from restante.mail.message import ContentFile
from restante.phrases import cause_of
from restante.store.sqlite.ballast import Ballast
from restante.store.sqlite.daemon_threads import DaemonThreads
from restante.store.sqlite.ready_files import ReadyFiles
from restante.store.sqlite.regular_file import (
    BLOCK,
    is_curable,
    is_within_reach,
    look_at,
    open_regular,
    what_is_wrong,
)
from restante.store.sqlite.store_health import StoreHealth
from restante.store.store_errors import Damaged, StoreError, StoreFull

_THREADS = 4  # syncs at once
_THREADS_APART = 1  # for people who read content
_SHARDS = "0123456789abcdef"  # directories, so that new files do not all wait for one's lock
_CLOSING_SECONDS = 3.0  # for work under way: a read that hangs is left behind
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_ROOM_WILL_COME = (errno.ENOSPC, errno.EDQUOT)

_Answer = TypeVar("_Answer")


class ContentFiles:
    """The files of one store, and the threads that touch them."""

    def __init__(self, directory: Path, health: StoreHealth, ballast: Ballast) -> None:
        self._directory = directory
        self._health = health
        self._ballast = ballast
        self._removals = threading.Lock()
        self._copies_under_way = 0
        self._put_off: list[str] = []  # names to be removed when no copy is under way
        self._spools: WeakSet[FileSpool] = WeakSet()  # that are being written
        self._ready = ReadyFiles(self._make, lambda: len(self._spools))
        self._pool = DaemonThreads(_THREADS, "restante-files")
        self._pool_apart = DaemonThreads(_THREADS_APART, "restante-web-files")
        for made in (directory, *(directory / shard for shard in _SHARDS)):
            made.mkdir(mode=0o700, exist_ok=True)
        for made in (directory, directory.parent):
            self.sync_directory(made)

    def require_room(self) -> None:
        """Raise StoreFull if mail may not be held because it would take the room for removals."""
        self._ballast.require()

    def new_name(self, shard: str = "") -> str:
        """Choose a name that no file has or had, in any shard if none is given."""
        name = secrets.token_hex(16)
        return f"{shard or name[0]}/{name}"

    def path(self, name: str) -> Path:
        """Tell where a file is."""
        return self._directory / name

    async def run(self, work: Callable[[], _Answer], *, is_apart: bool = False) -> _Answer:
        """Do work on a thread. Raises StoreError for whatever the system says.

        `is_apart` chooses the thread that mail never waits for.
        """
        self._health.check()
        pool = self._pool_apart if is_apart else self._pool
        try:
            return await pool.do(work)
        except OSError as error:
            kind = StoreFull if error.errno in _ROOM_WILL_COME else StoreError
            raise kind(f"content file: {cause_of(error)}") from error

    def begin(self, work: Callable[[], object]) -> None:
        """Have work done on a thread, whenever. After `close` it is left to the next sweep."""
        with suppress(RuntimeError):
            self._pool.submit(work)

    def open_spool(self) -> "FileSpool":
        """Begin a file."""
        spool = FileSpool(self)
        self._spools.add(spool)
        return spool

    def end_spool(self, spool: "FileSpool") -> None:
        """Stop counting a file that was begun."""
        self._spools.discard(spool)

    def take_ready(self) -> "ReadyFile":
        """Take an open file whose name is durable. Raises OSError."""
        return self._ready.take()

    def _make(self, count: int) -> "list[ReadyFile]":
        """Make up to so many files with durable names in one directory, one at least."""
        shard = secrets.choice(_SHARDS)
        made: list[ReadyFile] = []
        try:
            for _ in range(count):
                name = self.new_name(shard)
                made.append(
                    ReadyFile(name, SharedDescriptor(os.open(self.path(name), _NEW, 0o600)))
                )
        except OSError:  # of descriptors or inodes: the files that were made will do
            if not made:
                raise
        try:
            self.sync_directory(self.path(shard))
        except OSError:
            self._remove_ready(made)
            raise
        return made

    def _remove_ready(self, files: "Iterable[ReadyFile]") -> None:
        for file in files:
            file.descriptor.close()
            self.remove_unheld(file.name)

    async def duplicate(self, file: ContentFile) -> ContentFile:
        """Give a file a second durable name."""
        copy = ContentFile(self.new_name(), file.size, file.crc32)
        await self.run(partial(self._link, file.name, copy.name))
        return copy

    def _link(self, name: str, second_name: str) -> None:
        path = self.path(second_name)
        os.link(self.path(name), path)
        self.sync_directory(path.parent)

    async def read(
        self, file: ContentFile, *, is_apart: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Yield a file in blocks.

        The last one only when all of it is proven: a damaged file never ends. `is_apart` as for
        `run`.
        """
        opening = partial(self._opened, file.name)
        descriptor = await self._reading(file, opening, is_apart=is_apart)
        read_on = partial(descriptor.use, _read_block)
        try:
            size = crc32 = 0
            waiting = b""
            while block := await self._reading(file, read_on, is_apart=is_apart):
                size, crc32 = size + len(block), zlib.crc32(block, crc32)
                if waiting:
                    yield waiting
                waiting = block
            _compare(file, size, crc32)
            if waiting:
                yield waiting
        finally:
            self.begin(descriptor.close)

    def _opened(self, name: str) -> "SharedDescriptor":
        return SharedDescriptor(open_regular(self.path(name)))

    async def read_beginning(self, file: ContentFile, octets: int) -> bytes:
        """Read the first octets of a file."""
        return await self._reading(file, partial(self._beginning, file.name, octets))

    def _beginning(self, name: str, octets: int) -> bytes:
        with os.fdopen(open_regular(self.path(name)), "rb", buffering=0) as file:
            return file.read(octets)

    async def prove(self, file: ContentFile, beginning: int) -> bytes:
        """Read all of a file and return so many of its first octets. Raises Damaged, StoreError."""
        size, crc32, first = await self._reading(
            file, partial(look_at, self.path(file.name), beginning)
        )
        _compare(file, size, crc32)
        return first

    async def _reading(
        self, file: ContentFile, work: Callable[[], _Answer], *, is_apart: bool = False
    ) -> _Answer:
        """Do work on a file that is read.

        Raises Damaged if the file is to blame, otherwise StoreError.
        """
        try:
            return await self.run(work, is_apart=is_apart)
        except StoreError as error:
            cause = error.__cause__
            is_reached = is_within_reach(self.path(file.name))
            if isinstance(cause, OSError) and not is_curable(cause) and is_reached:
                raise Damaged(f"content file {file.name} {what_is_wrong(cause)}") from error
            raise

    def remove(self, names: Iterable[str]) -> None:
        """Remove files that no row names any longer; the next start sweeps those a crash leaves."""
        with self._removals:
            if self._copies_under_way:
                self._put_off += names
                return
        self.begin(partial(self._unlink, list(names)))

    @contextmanager
    def keeping_all(self) -> Iterator[None]:
        """Remove nothing inside: rows of an earlier moment may name files that are unused now."""
        with self._removals:
            self._copies_under_way += 1
        try:
            yield
        finally:
            with self._removals:
                self._copies_under_way -= 1
                names, self._put_off = self._put_off, []
            self.remove(names)

    def remove_unheld(self, name: str) -> None:
        """Remove a file that was never held, on the thread that asks.

        Not after a failed sync: its row may be found when the store is reopened, and would then
        lack its content.
        """
        if not self._health.failure:
            self._unlink([name])

    def _unlink(self, names: Iterable[str]) -> None:
        for name in names:
            with suppress(OSError):
                self.path(name).unlink()

    def sweep(self, named: set[str]) -> set[str]:
        """Remove the files that are not named; return the names that have no file."""
        present = self.present()
        self._unlink(present - named)
        return named - present

    def present(self) -> set[str]:
        """Return the names of all files."""
        return {f"{shard}/{path.name}" for shard in _SHARDS for path in self.path(shard).iterdir()}

    def sync_directory(self, directory: Path) -> None:
        """Make a directory's entries durable."""
        descriptor = SharedDescriptor(
            os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        )
        try:
            self.sync(descriptor)
        finally:
            descriptor.close()

    def sync(self, descriptor: "SharedDescriptor") -> None:
        """Make what was written durable.

        A failure for any reason but want of room is final for the store.
        """
        try:
            descriptor.use(os.fsync)
        except OSError as error:
            if error.errno not in _ROOM_WILL_COME:
                self._health.fail(f"syncing content: {cause_of(error)}")
            raise

    def close(self) -> None:
        """Finish the work under way, if it ends soon: content lost in an open file is not held."""
        self._pool_apart.close(_CLOSING_SECONDS)
        self._pool.close(_CLOSING_SECONDS)
        self._remove_ready(self._ready.take_all())


class SharedDescriptor:
    """An open file that one thread uses and another may let go of.

    The lock keeps the number from being closed under a read or a write. Otherwise the system would
    give the same number to the next socket, and the write would go there.
    """

    def __init__(self, number: int) -> None:
        self._lock = threading.Lock()
        self._number = number

    def __del__(self) -> None:
        """Close a file that was opened for a caller who had left by then."""
        self.close()

    def use(self, work: Callable[[int], _Answer]) -> _Answer:
        """Call `work` with the number. Raises StoreError if it was let go of."""
        with self._lock:
            if self._number < 0:
                raise StoreError("content file: closed meanwhile")
            return work(self._number)

    def close(self) -> None:
        """Let go, as often as one likes."""
        with self._lock:
            if self._number >= 0:
                os.close(self._number)
            self._number = -1


class ReadyFile(NamedTuple):
    """An empty file whose name is durable."""

    name: str
    descriptor: SharedDescriptor


def _compare(file: ContentFile, size: int, crc32: int) -> None:
    if (size, crc32) != (file.size, file.crc32):
        raise Damaged(f"content file {file.name} does not match its size and checksum")


def _read_block(number: int) -> bytes:
    return os.read(number, BLOCK)


class FileSpool:
    """One file being written."""

    def __init__(self, files: ContentFiles) -> None:
        self._files = files
        self._name = ""  # until something is written
        self._lock = (
            threading.Lock()
        )  # a write whose caller was cancelled may still run when discard comes
        self._descriptor: SharedDescriptor | None = None
        self._size = 0
        self._crc32 = 0
        self._is_discarded = False

    async def write(self, block: bytes) -> None:
        """Append."""
        self._count(block)
        await self._files.run(partial(self._append, block))

    async def close(self, rest: bytes = b"") -> ContentFile:
        """Append the rest, and make it durable: one turn of a thread for both."""
        try:
            self._count(rest)
            return await self._files.run(partial(self._finish, rest))
        finally:
            self._files.end_spool(self)

    def discard(self) -> None:
        """Forget it."""
        self._is_discarded = True
        self._files.end_spool(self)
        self._files.begin(self._remove)

    def _count(self, block: bytes) -> None:
        """Count a block, on the event loop.

        It lets go of the interpreter's lock meanwhile. On a thread it would have to fight for it
        again (decision 0035).
        """
        self._size += len(block)
        self._crc32 = zlib.crc32(block, self._crc32)

    def _append(self, block: bytes) -> None:
        self._files.require_room()
        with self._lock:
            self._opened().use(partial(_write_all, block))

    def _opened(self) -> SharedDescriptor:
        if self._is_discarded:
            raise StoreError("content file: discarded")
        if self._descriptor is None:
            self._name, self._descriptor = self._files.take_ready()
        return self._descriptor

    def _finish(self, rest: bytes) -> ContentFile:
        if rest:
            self._files.require_room()
        with self._lock:
            descriptor = self._opened()
            descriptor.use(partial(_write_all, rest))
            self._files.sync(descriptor)
            has_name = descriptor.use(os.fstat).st_nlink > 0
            descriptor.close()
            if not has_name:  # an empty file may have lain there for long
                raise StoreError("content file: it was removed while it was written")
            return ContentFile(self._name, self._size, self._crc32)

    def _remove(self) -> None:
        with self._lock:
            if self._descriptor is not None:
                self._descriptor.close()
                self._files.remove_unheld(self._name)


def _write_all(block: bytes, number: int) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(number, rest) :]
