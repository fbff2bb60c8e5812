"""The incoming content of one message: small in memory, large in a spool, in bounded memory.

Content that SIZE announces as too large for memory goes to the spool from the first piece. Other
content goes there once it is too large. At most one write to the spool runs at a time. New blocks
gather meanwhile, and past `STALL_OCTETS` the connection stops reading. So a connection keeps about
128 KiB for a message of any size.

At the memory limit of all sessions, content goes to disk whatever its size. All reading waits for
that (memory_budget.py).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass

from restante.mail.message import ContentFile
from restante.mail.message_id import MessageIdSearch
from restante.mail.received_field import OwnFieldCount
from restante.reception.memory_budget import MemoryBudget
from restante.reception.quota_reservations import QuotaReservation
from restante.store.content_store import ContentStore
from restante.store.reception_store import INLINE_LIMIT, ContentSpool, ReceptionStore
from restante.store.store_errors import StoreError

WRITE_OCTETS = 65536  # size of a piece that is written to the spool; one large read can exceed it
STALL_OCTETS = 65536  # more is memory without speed: the kernel's buffer fills further


@dataclass(frozen=True, slots=True)
class ContentParts:
    """The parts that take content, shared by all sessions."""

    store: ReceptionStore
    held_content: ContentStore
    budget: MemoryBudget
    spawn: Callable[[Coroutine[None, None, None]], asyncio.Task[None]]  # starts a task


class ContentBuffer:
    """Takes blocks, and at the end returns them whole or as a durable file."""

    __slots__ = (
        "_blocks",
        "_budget",
        "_due_above",
        "_file",
        "_finishing",
        "_held_content",
        "_is_given_up",
        "_on_room",
        "_on_stall",
        "_own_fields",
        "_reservation",
        "_search",
        "_spawn",
        "_spool",
        "_store",
        "_writing",
        "failure",
        "octets",
        "size",
    )

    def __init__(
        self,
        parts: ContentParts,
        *,
        on_room: Callable[[], None],
        on_stall: Callable[[], None],
        announced: int = 0,
        hostname: str = "",
    ) -> None:
        """`on_room` is called when a stalled buffer has room again, or has failed.

        `on_stall` is called when the blocks of other sessions stall this
        buffer, not for its own blocks. `announced` is the announced size in octets, 0 if there is
        none. `hostname` is ours.
        """
        self._store = parts.store
        self._held_content = parts.held_content
        self._budget = budget = parts.budget
        self._spawn = parts.spawn
        self._on_room = on_room
        self._on_stall = on_stall
        self._blocks: list[bytes] = []
        self._due_above = INLINE_LIMIT if announced <= INLINE_LIMIT else WRITE_OCTETS
        self._spool: ContentSpool | None = None
        self._finishing: asyncio.Lock | None = None  # once it is
        self._file: ContentFile | None = None  # once it is durable
        self._writing: asyncio.Task[None] | None = None
        self._search: MessageIdSearch | None = None  # in the octets that go to disk
        self._is_given_up = False
        self._own_fields = OwnFieldCount(hostname)
        self.octets = 0  # in memory
        self.size = 0  # in all
        self.failure: StoreError | None = None
        self._reservation: QuotaReservation | None = None  # of room in its domains' quotas
        budget.begins(self)

    def add(self, block: bytes) -> None:
        """Take a block. After a failure it is discarded, and `finish` raises."""
        if self.failure is not None:
            return
        self._blocks.append(block)
        self._own_fields.take(block)
        self.octets += len(block)
        self.size += len(block)
        self._budget.add(len(block))
        if self._writing is None and self._is_due:
            self._write()

    @property
    def is_stalled(self) -> bool:
        """Reading must stop until `on_room` is called."""
        if self.failure is not None:
            return False  # blocks are discarded
        return self._budget.is_over or (self._writing is not None and self.octets > STALL_OCTETS)

    def make_room(self) -> None:
        """Write the blocks in memory and stop reading: all sessions together have too much."""
        if self._writing is None and self.octets and self.failure is None:
            self._write()
        self._on_stall()

    def go_on(self) -> None:
        """Resume reading, but not within this call: its caller is in the middle of something."""
        asyncio.get_running_loop().call_soon(self._on_room)

    @property
    def is_spooled(self) -> bool:
        """The content is too large for memory: `finish` it."""
        return self._spool is not None

    @property
    def message_id(self) -> str | None:
        """The Message-ID of content in a file."""
        return None if self._search is None else self._search.found

    @property
    def passes(self) -> int:
        """How many Received fields of ours its header has: how often it was here before."""
        return self._own_fields.found

    def inline(self) -> bytes:
        """Return content that was never spooled. It is complete, and counted until it lands."""
        self._budget.ends(self)
        return self._blocks[0] if len(self._blocks) == 1 else b"".join(self._blocks)

    async def read(self) -> AsyncGenerator[bytes, None]:
        """Yield the complete content, from memory or as a durable file.

        Raises StoreError, also for content that was given up: its file may not be removed yet.
        """
        if self._is_given_up:
            raise StoreError("this content was given up")
        if self.failure is None and not self.is_spooled:
            for block in tuple(self._blocks):
                yield block
            return
        async for block in self._held_content.read_file(await self.finish()):
            yield block

    async def finish(self) -> ContentFile:
        """Write the rest and make the file durable; again, return the file. Raises StoreError."""
        if self._finishing is None:
            self._finishing = asyncio.Lock()
        async with self._finishing:
            if self._file is None:
                self._file = await self._finish()
            return self._file

    async def _finish(self) -> ContentFile:
        self._budget.ends(self)
        if self._writing is not None:
            await asyncio.wait([self._writing])
        if self.failure is not None:
            raise self.failure
        assert self._spool is not None
        octets = self.octets
        try:
            return await self._spool.close(self._take_blocks())
        finally:
            self._budget.remove(octets)

    def reserve(self, reservation: QuotaReservation) -> None:
        """Hold room in the quotas of its domains until the content lands."""
        self._reservation = reservation

    def land(self) -> None:
        """Stop counting the content: it is held, or forgotten."""
        self._budget.remove(self.octets)
        self._blocks.clear()
        self.octets = 0
        if self._reservation is not None:
            self._reservation.end()

    def discard(self) -> None:
        """Forget everything, including the blocks of a running write."""
        self._is_given_up = True
        self._budget.ends(self)
        self.land()
        if self._writing is not None:
            self._writing.cancel()
        if self._spool is not None:
            self._spool.discard()

    async def _write_waiting(self, spool: ContentSpool) -> None:
        """Write the blocks in memory; they are counted until that is done."""
        octets = self.octets
        try:
            await spool.write(self._take_blocks())  # no name here keeps them while it waits
        finally:
            self._budget.remove(octets)

    def _take_blocks(self) -> bytes:
        data = b"".join(self._blocks)
        self._blocks.clear()
        self.octets = 0
        if self._search is not None:
            self._search.take(data)
        return data

    @property
    def _is_due(self) -> bool:
        """Enough is in memory to be written, or all sessions together have too much."""
        return self.octets > self._due_above or (self._budget.is_over and self.octets > 0)

    def _write(self) -> None:
        if self._spool is None:
            self._spool = self._store.open_spool()
            self._search = MessageIdSearch()
            self._due_above = WRITE_OCTETS
        self._writing = self._spawn(self._write_out(self._spool))

    async def _write_out(self, spool: ContentSpool) -> None:
        try:
            while self._is_due and self.failure is None:
                await self._write_waiting(spool)
        except StoreError as error:
            self._fail(error)
        except (
            Exception
        ) as error:  # a defect: the block being written is lost and must not become a hole
            self._fail(StoreError(repr(error)))
            raise
        finally:
            self._writing = None
            self._on_room()

    def _fail(self, error: StoreError) -> None:
        self.failure = error
        self.land()
