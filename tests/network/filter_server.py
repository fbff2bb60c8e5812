"""An HTTP filter that answers as a test wants it, good or bad."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def http(body: bytes, status: str = "200 OK") -> bytes:
    """An answer with this body."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status.encode(), len(body)) + body


def plain(octets: bytes) -> Answer:
    """Answer with these octets at once."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        await writer.drain()

    return answer


async def silent(writer: asyncio.StreamWriter) -> None:
    """Answer nothing, and keep the connection."""
    await asyncio.Event().wait()


async def cut(writer: asyncio.StreamWriter) -> None:
    """End the connection in the middle of an answer."""
    writer.write(http(b"{}")[:30])
    await writer.drain()
    writer.close()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Answer an octet at a time, without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def endless(writer: asyncio.StreamWriter) -> None:
    """Answer without an end, as fast as it is read."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


@dataclass
class FilterServer:
    """It runs while its `async with` lasts."""

    answer: Answer = field(default_factory=lambda: plain(http(b"{}")))
    socket: Path | None = None
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    octets: int = 0
    connections: int = 0
    keeps_bodies: bool = True
    url: str = ""

    async def __aenter__(self) -> Self:
        if self.socket is not None:
            self._server = await asyncio.start_unix_server(self._serve, self.socket)
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while head := await self._head(reader):
                await self._body(reader, head)
                await self.answer(writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> str:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except asyncio.IncompleteReadError:
            return ""
        self.heads.append(head)
        return head

    async def _body(self, reader: asyncio.StreamReader, head: str) -> None:
        [left] = [int(line[15:]) for line in head.lower().split("\r\n") if "ent-length:" in line]
        body = bytearray()
        while left:
            block = await reader.read(min(left, 65536))
            left -= len(block)
            self.octets += len(block)
            body += block if self.keeps_bodies else b""
        self.bodies.append(bytes(body))
