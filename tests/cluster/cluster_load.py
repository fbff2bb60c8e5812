"""Senders that note each 250, at servers that may be killed at any moment."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

HOST: Final = "127.0.0.1"
_ACCEPTED: Final = "250"
_PATIENCE: Final = 15.0  # seconds for one message; a stopped server says nothing


class ClusterLoad:
    """Sends messages with tokens of their own until it is stopped."""

    def __init__(self, ports: Sequence[int], domains: Sequence[str], seed: int) -> None:
        self.acknowledged: set[str] = set()
        self.acknowledged_at = 0.0  # the last of them; monotonic
        self.replies: Counter[str] = Counter()  # to commands of a message, by code
        self.slowest: dict[str, float] = {}  # seconds for a reply to content, by code
        self._ports = ports
        self._domains = domains
        self._random = random.Random(seed)
        self._count = 0
        self._is_over = False
        self._next = asyncio.Event()

    def stop(self) -> None:
        """Send no more."""
        self._is_over = True

    async def next_acknowledged(self) -> None:
        """Wait until one more message is acknowledged."""
        await self._next.wait()

    async def run(self) -> None:
        """Send over one connection after another."""
        while not self._is_over:
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._connection(self._random.choice(self._ports))
            except (OSError, asyncio.IncompleteReadError):  # TimeoutError is an OSError
                await asyncio.sleep(0.05)

    async def _connection(self, port: int) -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        try:
            await _reply(reader)
            await _said(reader, writer, b"EHLO sender.example")
            for _ in range(self._random.randint(1, 8)):
                await self._message(reader, writer)
                await asyncio.sleep(0.01)
        finally:
            writer.transport.abort()

    async def _message(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count += 1
        token, domain = f"t{self._count}", self._random.choice(self._domains)
        for line in (b"MAIL FROM:<a@sender.example>", f"RCPT TO:<b@{domain}>".encode(), b"DATA"):
            reply = await _said(reader, writer, line)
            self.replies[reply[:3].decode()] += 1
            if reply[:1] not in b"23":
                await _said(reader, writer, b"RSET")
                await asyncio.sleep(0.1)
                return
        body = f"X-Token: {token}\r\nSubject: x\r\n\r\n{'y' * 500}\r\n."
        asked_at = time.monotonic()
        code = (await _said(reader, writer, body.encode()))[:3].decode()
        now = time.monotonic()
        self.replies[code] += 1
        self.slowest[code] = max(self.slowest.get(code, 0.0), now - asked_at)
        if code == _ACCEPTED:
            self.acknowledged.add(token)
            self.acknowledged_at = now
            self._next.set()
            self._next = asyncio.Event()


async def _said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> bytes:
    writer.write(line + b"\r\n")
    return await _reply(reader)


async def _reply(reader: asyncio.StreamReader) -> bytes:
    while (line := await reader.readuntil(b"\r\n"))[3:4] == b"-":
        pass
    return line
