"""Large content as it is read and copied."""

import asyncio
import time
import zlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from functools import partial
from typing import Final

from restante.mail.message import ContentFile
from restante.shielded_task import shielded
from restante.store.object_access import LARGE
from restante.store.postgres import content_queries, object_queries
from restante.store.postgres.chunk_spool import CHUNK, content_id, discard_content
from restante.store.postgres.content_objects import NO_OBJECTS, ContentObjects, new_name
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.object_spool import add_object
from restante.store.postgres.postgres_core import PostgresCore, take_note
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import ContentUnreachable, Damaged, StoreError

BLOCK: Final = 256 * 1024  # octets that a reader gets at once


async def blocks_of(core: PostgresCore, file: ContentFile) -> AsyncGenerator[bytes, None]:
    """Yield content in blocks; the last one only after all of it is known to be whole."""
    number = content_id(file)
    name = await object_name(core, file)
    crc32 = 0
    for part in range(max(1, -(-file.size // CHUNK))):
        length = min(CHUNK, file.size - part * CHUNK)
        if name is not None:
            chunk = await objects_of(core).read(name, part * CHUNK, length)
        else:
            rows = await core.fetch(content_queries.CHUNK, number, part)
            chunk = bytes(rows[0][0]) if rows else b""
            if not rows:
                raise Damaged(f"content {file.name} is not whole")
        if len(chunk) != length:
            raise Damaged(f"content {file.name} is not whole")
        crc32 = zlib.crc32(chunk, crc32)
        if (part + 1) * CHUNK >= file.size and crc32 != file.crc32:
            raise Damaged(f"content {file.name} does not match its checksum")
        for start in range(0, len(chunk), BLOCK):
            yield chunk[start : start + BLOCK]


async def object_name(core: PostgresCore, file: ContentFile) -> str | None:
    """Return the name of content in the object store; None if it is in the database."""
    if file.size < (LARGE if core.objects is None else core.objects.smallest):
        return None
    rows = await core.fetch(object_queries.NAME, content_id(file))
    return rows[0][0] if rows else None


def objects_of(core: PostgresCore) -> ContentObjects:
    """Return the object store. Raises ContentUnreachable where this process has none."""
    if core.objects is None:  # it was opened before the first server with an object store
        raise ContentUnreachable(NO_OBJECTS)
    return core.objects


async def beginning_of(core: PostgresCore, file: ContentFile, octets: int) -> bytes:
    """Return the first octets of content, unproven."""
    number = content_id(file)
    wanted = min(octets, file.size)
    if (name := await object_name(core, file)) is not None:
        return await objects_of(core).read(name, 0, wanted) if wanted else b""
    found = b""
    for part in range(max(1, -(-wanted // CHUNK))):
        rows = await core.fetch(content_queries.BEGINNING, number, part, wanted - len(found))
        if not rows:
            raise StoreError(f"content {file.name} is missing")
        found += bytes(rows[0][0])
    return found


async def copy_content(core: PostgresCore, file: ContentFile) -> ContentFile:
    """Copy content under a number of its own: a chunk is a statement, as when it was written.

    A copy that fails is removed. If the caller is cancelled, the copy is finished and then removed:
    a removal sees its rows only once they are committed.
    """
    copying = core.begin(_copied(core, file))
    copying.add_done_callback(take_note)
    try:
        return await shielded(copying)
    except asyncio.CancelledError:
        copying.add_done_callback(partial(_discard_copy, core))
        raise


def _discard_copy(core: PostgresCore, copying: asyncio.Task[ContentFile]) -> None:
    if not copying.cancelled() and copying.exception() is None:
        discard_content(core, content_id(copying.result()))


async def _copied(core: PostgresCore, file: ContentFile) -> ContentFile:
    name = await object_name(core, file)
    if name is not None:
        objects_of(core).check()
    copy = core.mirror.content_numbers.next(time.time())
    try:
        if name is None:
            await _copy_chunks(core, file, copy)
        else:
            await _copy_object(core, name, file.size, copy)
    except BaseException:
        discard_content(core, copy)  # nobody else has its number
        raise
    return replace(file, name=str(copy))


async def _copy_object(core: PostgresCore, name: str, size: int, copy: int) -> None:
    new = new_name()
    await core.write(partial(add_object, number=copy, name=new), SessionKind.SPOOLING)
    await objects_of(core).copy(name, new, size)


async def _copy_chunks(core: PostgresCore, file: ContentFile, copy: int) -> None:
    number = content_id(file)

    async def change(transaction: PostgresTransaction) -> None:
        await transaction.fetch(content_queries.ADD_SPOOL, copy, *transaction.node)
        for part in range(max(1, -(-file.size // CHUNK))):
            if not await transaction.has(content_queries.COPY_CHUNK, number, copy, part):
                raise StoreError(f"content {file.name} is missing")

    await core.write(change, SessionKind.SPOOLING)
