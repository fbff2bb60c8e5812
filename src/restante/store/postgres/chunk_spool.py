"""Large content on its way into the database: a chunk of a mebibyte is a transaction.

One transaction for all of it would hold a session for as long as the client takes.
"""

import time
import zlib
from functools import partial
from typing import Final

from restante.mail.message import ContentFile
from restante.store.postgres import content_queries
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_core import PostgresCore, take_note
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import StoreError

CHUNK: Final = 1 << 20  # octets
_DIGITS: Final = 18  # at most, of the number of content


def content_id(file: ContentFile) -> int:
    """Return the number of content. Raises StoreError for a name that is no number of ours."""
    if not (file.name.isascii() and file.name.isdigit() and len(file.name) <= _DIGITS):
        raise StoreError(f"content {file.name} is missing")
    return int(file.name)


class ChunkSpool:
    """A `ContentSpool`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core
        self._number = core.mirror.content_numbers.next(time.time())
        self._waiting = bytearray()
        self._parts = 0
        self._size = 0
        self._crc32 = 0
        self._is_discarded = False

    async def write(self, block: bytes) -> None:
        """Append."""
        self._size += len(block)
        self._crc32 = zlib.crc32(block, self._crc32)
        self._waiting += block
        while len(self._waiting) >= CHUNK:
            chunk = bytes(self._waiting[:CHUNK])
            del self._waiting[:CHUNK]
            await self._keep(chunk)

    async def close(self, rest: bytes = b"") -> ContentFile:
        """Append the rest, and make durable all that waits."""
        await self.write(rest)
        if self._waiting or not self._parts:
            await self._keep(bytes(self._waiting))
            self._waiting.clear()
        return ContentFile(str(self._number), self._size, self._crc32)

    def discard(self) -> None:
        """Forget it. Chunks that were written are removed beside other work."""
        self._waiting.clear()
        if self._parts and not self._is_discarded:
            discard_content(self._core, self._number)
        self._is_discarded = True

    async def _keep(self, chunk: bytes) -> None:
        part = self._parts
        self._parts += 1
        await self._core.carry_out(self._add(part, chunk))

    async def _add(self, part: int, chunk: bytes) -> None:
        """Add a chunk. This goes on if the caller is cancelled, who then discards the content."""

        async def change(transaction: PostgresTransaction) -> None:
            if not part:
                place = (self._number, *transaction.node)
                await transaction.fetch(content_queries.ADD_SPOOL, *place)
            if not await transaction.has(content_queries.ADD_CHUNK, self._number, part, chunk):
                raise StoreError(f"content {self._number} was removed while it was written")

        await self._core.write(change, SessionKind.SPOOLING)
        if self._is_discarded:  # while this chunk was on its way
            discard_content(self._core, self._number)


def discard_content(core: PostgresCore, number: int) -> None:
    """Remove content that no message has, beside other work. Errors are not logged."""
    change = partial(remove_unheld, number=number)
    core.begin(core.write(change, SessionKind.SPOOLING)).add_done_callback(take_note)


async def remove_unheld(transaction: PostgresTransaction, number: int) -> None:
    """Remove content, unless a message has it."""
    if await transaction.has(content_queries.LOCK_SPOOL, number):
        await transaction.fetch(content_queries.DISCARD, number)
