"""Streams of messages, into and out of the queue of an admin context."""

import json
from collections.abc import AsyncIterator
from typing import Any

from restante.mail.import_stream import (
    WHOLE,
    StreamEnd,
    StreamLabel,
    StreamUnpacker,
    pack_block,
    pack_label,
)
from restante.store.reception_store import INLINE_LIMIT
from restante.transfer.queue_content import ExportOrder, export_mail, read_content
from restante.transfer.queue_import import ImportResult, import_mail
from tests.admin.admin_world import HEAD, AdminWorld

LARGE = b"Subject: large\r\n\r\n" + b"a line of a large message\r\n" * (INLINE_LIMIT // 20)


def packed_message(content: bytes = HEAD, *to: str, step: int = 50_000, **facts: Any) -> bytes:
    label = {
        "reverse_path": "a@sender.example",
        "forward_paths": to or ("x@alpha.example",),
    } | facts
    blocks = b"".join(
        pack_block(content[start : start + step]) for start in range(0, len(content), step)
    )
    return pack_label(json.dumps(label)) + blocks + WHOLE


async def bring_in(admin: AdminWorld, *messages: bytes, reason: str = "") -> list[ImportResult]:
    async def stream() -> AsyncIterator[bytes]:
        octets = b"".join(messages)
        for start in range(0, len(octets), 10_000):
            yield octets[start : start + 10_000]

    return await import_mail(admin.context, stream(), reason)


async def content_of(admin: AdminWorld, name: str) -> bytes:
    return b"".join([block async for block in (await read_content(admin.context, name)).blocks])


async def exported(admin: AdminWorld, **order: Any) -> list[tuple[str, bytes, str]]:
    """Name, content and failure of each message."""
    found: list[tuple[str, bytes, str]] = []
    unpacker, content = StreamUnpacker(), b""
    async for octets in await export_mail(admin.context, ExportOrder.model_validate(order)):
        for piece in unpacker.receive(octets):
            match piece:
                case StreamLabel(facts):
                    name, content = facts["name"], b""
                case StreamEnd(failure):
                    found.append((name, content, failure))
                case bytes():
                    content += piece
    unpacker.close()
    return found


async def hosting() -> AdminWorld:
    admin = AdminWorld()
    await admin.host("alpha.example", "alpha")
    await admin.host("beta.example", "beta")
    return admin
