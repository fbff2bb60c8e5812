"""Large content on its way to the object store: first on the disk, then an object at once.

An upload begins when all octets are here. So no slow client holds a part of it in memory, or its
place in the line of uploads. The file has no name, and ends with the process.
"""

import asyncio
import errno
import os
import tempfile
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Final, TypeVar

from restante.mail.message import ContentFile
from restante.store.postgres import content_queries, object_queries
from restante.store.postgres.chunk_spool import ChunkSpool, discard_content
from restante.store.postgres.content_objects import ContentObjects, new_name
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import StoreError, StoreFull

_BLOCK: Final = 1 << 20
_Answer = TypeVar("_Answer")


class StagedContent:
    """Octets in memory, and in a file without a name once they are many."""

    def __init__(self, objects: ContentObjects) -> None:
        self._objects = objects
        self._file: StagedFile | None = None
        self.waiting = bytearray()  # in memory
        self.size = 0
        self.crc32 = 0

    @property
    def is_large(self) -> bool:
        """Whether it must become an object."""
        return self.size >= self._objects.smallest

    async def add(self, block: bytes) -> None:
        """Append. Raises StoreFull, StoreError."""
        self.size += len(block)
        self.crc32 = zlib.crc32(block, self.crc32)
        self.waiting += block
        if self.is_large:
            await self._write_out()

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield all octets. It must be large.

        Raises StoreError if they are not those that were added: the upload then fails.
        """
        assert self._file is not None
        size = crc32 = 0
        while block := await self._on_disk(partial(self._file.read, size)):
            size, crc32 = size + len(block), zlib.crc32(block, crc32)
            yield block
        if (size, crc32) != (self.size, self.crc32):
            raise StoreError(f"large content has changed in {self._place}: send it again")

    def discard(self) -> None:
        """Forget all."""
        self.waiting.clear()
        if self._file is not None:
            with suppress(RuntimeError):  # the store is closed
                self._objects.threads.submit(self._file.close)

    async def _write_out(self) -> None:
        data, self.waiting = bytes(self.waiting), bytearray()
        if self._file is None:
            self._file = StagedFile(self._objects.directory)
        await self._on_disk(partial(self._file.write, data))

    @property
    def _place(self) -> str:
        return str(self._objects.directory or tempfile.gettempdir())

    async def _on_disk(self, work: Callable[[], _Answer]) -> _Answer:
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._objects.threads, work)
        except (OSError, ValueError, RuntimeError) as error:  # the latter two: it was closed
            cause = getattr(error, "strerror", None) or str(error)
            kind = StoreFull if getattr(error, "errno", 0) == errno.ENOSPC else StoreError
            raise kind(f"large content cannot be written to {self._place}: {cause}") from error


class StagedFile:
    """A file that one thread uses and another may close. The first write makes it.

    The lock keeps it from being closed under a write. Otherwise the system would give its number to
    the next file, and the rest of the write would go there. A write whose caller was cancelled
    finds it closed and makes none, or `close` finds the one that it made.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._file: IO[bytes] | None = None
        self._is_closed = False
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Append all of it: the system may take a part at a time. Raises ValueError if closed."""
        with self._lock:
            if self._is_closed:
                raise ValueError("it was closed")
            if self._file is None:
                self._file = tempfile.TemporaryFile(  # noqa: SIM115  `close` ends it
                    dir=self._directory, buffering=0
                )
            left = memoryview(data)
            while left:
                written = self._file.write(left)
                if not written:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                left = left[written:]

    def read(self, start: int) -> bytes:
        """Return a block from there on; b"" at the end."""
        with self._lock:
            if self._file is None:
                return b""
            self._file.seek(start)
            return self._file.read(_BLOCK)

    def close(self) -> None:
        """Close it, once no other thread uses it."""
        with self._lock:
            self._is_closed = True
            if self._file is not None:
                self._file.close()


class ObjectSpool:
    """A `ContentSpool`: content that stays small goes into the database."""

    def __init__(self, core: PostgresCore, objects: ContentObjects) -> None:
        self._core = core
        self._objects = objects
        self._staged = StagedContent(objects)
        self._chunks: ChunkSpool | None = None
        self._number = 0  # once its row is on its way
        self._is_discarded = False

    async def write(self, block: bytes) -> None:
        """Append. Raises ContentUnreachable at once if an object is due and cannot be kept."""
        if self._staged.size + len(block) >= self._objects.smallest:
            self._objects.check()
        await self._staged.add(block)

    async def close(self, rest: bytes = b"") -> ContentFile:
        """Append the rest, and make it durable."""
        if rest:
            await self.write(rest)
        staged = self._staged
        if not staged.is_large:
            self._chunks = ChunkSpool(self._core)
            await self._chunks.write(bytes(staged.waiting))
            return await self._chunks.close()
        self._objects.check()
        self._number, name = self._core.mirror.content_numbers.next(time.time()), new_name()
        await self._core.carry_out(self._add(name))
        await self._objects.put(name, staged.blocks(), staged.size)
        staged.discard()
        return ContentFile(str(self._number), staged.size, staged.crc32)

    def discard(self) -> None:
        """Forget it. Its row is removed beside other work, and its object after that."""
        self._staged.discard()
        if self._chunks is not None:
            self._chunks.discard()
        if self._number and not self._is_discarded:
            discard_content(self._core, self._number)
        self._is_discarded = True

    async def _add(self, name: str) -> None:
        change = partial(add_object, number=self._number, name=name)
        await self._core.write(change, SessionKind.SPOOLING)
        if self._is_discarded:  # while the row was on its way
            discard_content(self._core, self._number)
            raise StoreError("this content was given up")


async def add_object(transaction: PostgresTransaction, number: int, name: str) -> None:
    """Note the name of an object that is about to be written, as content without a message."""
    await transaction.fetch(content_queries.ADD_SPOOL, number, *transaction.node)
    await transaction.fetch(object_queries.ADD_OBJECT, number, name)
