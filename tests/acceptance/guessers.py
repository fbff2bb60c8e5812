"""Password guessers: many connections under TLS, each trying again as soon as it has a reply."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.server import Server

GOODBYE: Final = "421"


class Guessers:
    """They guess over one connection at a time from each address, as long as the `with` lasts."""

    def __init__(self, server: Server, user: str, sources: Sequence[str]) -> None:
        """`server` speaks TLS from the first byte."""
        self._server = server
        self._user = user
        self._sources = sources
        self._context = ssl.create_default_context(cafile=server.authority)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="guessers")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._enough = asyncio.Event()
        self.answers: Counter[str] = Counter()  # replies to AUTH, by code

    def __enter__(self) -> Self:
        self._thread.start()
        eventually(
            lambda: self.answers.total() > len(self._sources), what="the guessers to be at work"
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._enough.set)
        self._thread.join()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        guessing = [asyncio.create_task(self._guess(source)) for source in self._sources]
        await self._enough.wait()
        for task in guessing:
            task.cancel()
        await asyncio.gather(*guessing, return_exceptions=True)
        await asyncio.sleep(0)  # transports close with the loop's next turn

    async def _guess(self, source: str) -> None:
        while True:
            connecting = asyncio.create_task(self._connect(source))
            try:
                reader, writer = await asyncio.shield(connecting)
            except asyncio.CancelledError:  # a handshake that is cancelled leaves its socket open
                with contextlib.suppress(OSError):
                    (await connecting)[1].transport.abort()
                raise
            try:
                await self._guess_until_hung_up(reader, writer, source)
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.transport.abort()

    async def _connect(self, source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            self._server.host,
            self._server.port,
            ssl=self._context,
            local_addr=(source, 0),
            family=2,  # IPv4, as the addresses are
        )

    async def _guess_until_hung_up(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, source: str
    ) -> None:
        await _code(reader)
        writer.write(b"EHLO guesser.example\r\n")
        await _code(reader)
        guess = base64.b64encode(f"\0{self._user}\0guess of {source}".encode())
        while True:
            writer.write(b"AUTH PLAIN " + guess + b"\r\n")
            if (code := await _code(reader)) == GOODBYE:
                return
            self.answers[code] += 1


async def _code(reader: asyncio.StreamReader) -> str:
    """Read a whole reply."""
    while (line := await reader.readuntil(b"\r\n"))[3:4] == b"-":
        pass
    return line[:3].decode()
