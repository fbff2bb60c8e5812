"""A milter that answers as a test wants it, good or bad."""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from restante.checks.milter_codec import packet

Act = Callable[[asyncio.StreamWriter], Awaitable[None]]
Said = bytes | Act
UNANSWERED = frozenset("DQA")


def options(version: int = 6, actions: int = 0, steps: int = 0) -> bytes:
    """Its answer to the offer."""
    return packet("O", struct.pack("!III", version, actions, steps))


AGREED: Final = options()


async def silent(writer: asyncio.StreamWriter) -> None:
    """Say nothing, and keep the connection."""
    await asyncio.Event().wait()


async def gone(writer: asyncio.StreamWriter) -> None:
    """End the connection in the middle of a reply."""
    writer.write(b"\0\0\0\1")
    await writer.drain()
    writer.close()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Reply an octet at a time, for as long as it is read."""
    writer.write(b"\0\0\xff\xff")
    while True:
        writer.write(b"y")
        await writer.drain()
        await asyncio.sleep(0.01)


async def busy(writer: asyncio.StreamWriter) -> None:
    """Say that it is at work, as fast as it is read."""
    while True:
        writer.write(packet("p") * 100)
        await writer.drain()


@dataclass
class MilterServer:
    """It runs while its `async with` lasts. `says` has the answer to each letter."""

    says: Mapping[str, Said | Sequence[bytes]] = field(default_factory=dict)
    socket: Path | None = None
    greeting: Said = AGREED
    told: list[tuple[str, bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        """Its address in the form of the settings."""
        return f"127.0.0.1:{self.port}" if self.socket is None else f"unix:{self.socket}"

    def data(self, letter: str) -> list[bytes]:
        """The data of all packets with a letter."""
        return [data for one, data in self.told if one == letter]

    async def __aenter__(self) -> Self:
        if self.socket is not None:
            self._server = await asyncio.start_unix_server(self._serve, self.socket)
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = self._server.sockets[0].getsockname()[1]
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
        try:
            while True:
                [length] = struct.unpack("!I", await reader.readexactly(4))
                body = await reader.readexactly(length)
                letter = chr(body[0])
                self.told.append((letter, body[1:]))
                await self._say(letter, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _say(self, letter: str, writer: asyncio.StreamWriter) -> None:
        if letter in UNANSWERED:
            return
        said = self.greeting if letter == "O" else self.says.get(letter, packet("c"))
        for one in said if isinstance(said, Sequence) and not isinstance(said, bytes) else [said]:
            if isinstance(one, bytes):
                writer.write(one)
                await writer.drain()
            else:
                await one(writer)
