"""Requests and answers with one JSON object to a line, read and written in pieces.

Neither must be in memory as a whole, and no piece occupies the event loop for long.
"""

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import aclosing
from typing import Any, Final

from fastapi import Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from restante.admin.admin_error import AdminError, ErrorKind
from restante.mail.quantity import counted

MEDIA_TYPE: Final = "application/x-ndjson"
MAX_LINE: Final = 256 * 1024  # octets: a thousand recipients are in one
MAX_BODY: Final = 64 * 1024 * 1024


async def body_lines(request: Request) -> AsyncIterator[bytes]:
    """Yield the lines of a request that are not empty. Raises AdminError for one too large."""
    octets = 0
    rest = b""
    try:
        async for block in request.stream():
            octets += len(block)
            if octets > MAX_BODY:
                raise _too_large("request", MAX_BODY, "send it in parts")
            *lines, rest = (rest + block).split(b"\n")
            if len(rest) > MAX_LINE:
                raise _long_line()
            for line in lines:
                if len(line) > MAX_LINE:
                    raise _long_line()
                if line.strip():
                    yield line
    except ClientDisconnect:
        error = "request: it was interrupted"
        raise AdminError(ErrorKind.USAGE, error, "send it again") from None
    if rest.strip():
        yield rest


class JsonLines(StreamingResponse):
    """An answer with a JSON object to a line."""

    media_type = MEDIA_TYPE


async def streamed(lines: Any) -> JsonLines:
    """Return the answer. Errors before the first line are raised here, and have a status."""
    first = await anext(lines, None)

    async def octets() -> Any:
        async with aclosing(lines):  # also if the client leaves
            async for line in as_lines(first, lines):
                yield line

    return JsonLines(octets())


async def as_lines(first: BaseModel | dict[str, Any] | None, rest: AsyncIterable[Any]) -> Any:
    """Yield the lines of an answer: the first, which was awaited already, and the rest."""
    if first is not None:
        yield _line(first)
    async for one in rest:
        yield _line(one)
        await asyncio.sleep(0)


def _line(one: BaseModel | dict[str, Any]) -> bytes:
    if isinstance(one, BaseModel):
        return one.model_dump_json(exclude_none=True).encode() + b"\n"
    return json.dumps(one, ensure_ascii=False).encode() + b"\n"


def _long_line() -> AdminError:
    return _too_large("line", MAX_LINE, "send long lists as several entries of addresses")


def _too_large(what: str, limit: int, remedy: str) -> AdminError:
    return AdminError(ErrorKind.INVALID, f"{what}: has more than {counted(limit, 'octet')}", remedy)
