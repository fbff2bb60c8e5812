"""Large content as it is read and copied."""

import time
import zlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Final

from restante.mail.message import ContentFile
from restante.store.postgres import content_queries
from restante.store.postgres.chunk_spool import CHUNK, content_id
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import Damaged, StoreError

BLOCK: Final = 256 * 1024  # octets that a reader gets at once


async def blocks_of(core: PostgresCore, file: ContentFile) -> AsyncGenerator[bytes, None]:
    """Yield content in blocks; the last one only after all of it is known to be whole."""
    number = content_id(file)
    crc32 = 0
    for part in range(max(1, -(-file.size // CHUNK))):
        rows = await core.fetch(content_queries.CHUNK, number, part)
        chunk = bytes(rows[0][0]) if rows else None
        is_last = (part + 1) * CHUNK >= file.size
        if chunk is None or len(chunk) != min(CHUNK, file.size - part * CHUNK):
            raise Damaged(f"content {file.name} is not whole")
        crc32 = zlib.crc32(chunk, crc32)
        if is_last and crc32 != file.crc32:
            raise Damaged(f"content {file.name} does not match its checksum")
        for start in range(0, len(chunk), BLOCK):
            yield chunk[start : start + BLOCK]


async def beginning_of(core: PostgresCore, file: ContentFile, octets: int) -> bytes:
    """Return the first octets of content, unproven."""
    number = content_id(file)
    wanted = min(octets, file.size)
    found = b""
    for part in range(max(1, -(-wanted // CHUNK))):
        rows = await core.fetch(content_queries.BEGINNING, number, part, wanted - len(found))
        if not rows:
            raise StoreError(f"content {file.name} is missing")
        found += bytes(rows[0][0])
    return found


async def copy_content(core: PostgresCore, file: ContentFile) -> ContentFile:
    """Copy content under a number of its own: a chunk is a statement, as when it was written."""
    number, copy = content_id(file), core.mirror.content_numbers.next(time.time())

    async def change(transaction: PostgresTransaction) -> None:
        await transaction.fetch(content_queries.ADD_SPOOL, copy, *transaction.node)
        for part in range(max(1, -(-file.size // CHUNK))):
            if not await transaction.has(content_queries.COPY_CHUNK, number, copy, part):
                raise StoreError(f"content {file.name} is missing")

    await core.write(change, SessionKind.SPOOLING)
    return replace(file, name=str(copy))
