"""The control socket: it listens from the start, and the API is loaded for the first client.

The kernel keeps clients waiting until then. If an upgrade has replaced the program meanwhile, each
client is told that the server needs a restart.
"""

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from restante.admin.admin_error import ErrorKind
from restante.background.clocks import Wait, wait_at_most
from restante.network.late_module import REMEDY, REPLACED, CodeNotLoaded, ProgramReplaced
from restante.telemetry.event_bus import Log
from restante.telemetry.events import InternalError
from restante.telemetry.work_word import WorkWord

HEAD_SECONDS: Final = 10.0  # for the header of a request that is refused
RETRY_SECONDS: Final = 10

Prepare = Callable[[], Coroutine[None, None, None]]
Serve = Callable[[], Coroutine[None, None, None]]


async def serve_late(
    listener: socket.socket, load: Prepare, serve: Serve, log: Log, wait: Wait = wait_at_most
) -> None:
    """Serve from the first client on until cancelled. Then `listener` is closed.

    `load` has the code of the API loaded. Raises CodeNotLoaded. Then `serve` begins.
    """
    with contextlib.closing(listener):
        while True:
            await _until_asked(listener)
            try:
                await load()
            except ProgramReplaced:
                return await _refuse_all(listener)
            except CodeNotLoaded as error:  # the client waits
                log.publish(InternalError(error=error, doing=WorkWord.REQUEST))
                await wait(asyncio.Event(), RETRY_SECONDS)
            else:
                return await serve()


async def _until_asked(listener: socket.socket) -> None:
    """Wait for a client. It is not accepted here."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(listener, asked.set)
    try:
        await asked.wait()
    finally:
        loop.remove_reader(listener)


async def _refuse_all(listener: socket.socket) -> None:
    server = await asyncio.start_unix_server(_refuse, sock=listener)
    async with server:
        await server.serve_forever()


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request, whatever it is."""
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        async with asyncio.timeout(HEAD_SECONDS):
            await reader.readuntil(b"\r\n\r\n")
        writer.write(refusal())
        await writer.drain()
    writer.close()


def refusal() -> bytes:
    """Return the answer, in the form of `problem_details`, whose code cannot be loaded."""
    status = HTTPStatus.SERVICE_UNAVAILABLE
    details = {
        "type": f"urn:restante:problem:{ErrorKind.UNAVAILABLE}",
        "title": status.phrase,
        "status": int(status),
        "detail": REPLACED,
        "kind": ErrorKind.UNAVAILABLE,
        "remedy": REMEDY,
    }
    body = json.dumps(details).encode()
    head = (
        f"HTTP/1.1 {int(status)} {status.phrase}\r\n"
        "Content-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Retry-After: {RETRY_SECONDS}\r\n"
        "Cache-Control: no-store\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
