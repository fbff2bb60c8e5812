"""A client's connection to the server: lines out, replies in, TLS when asked for."""

import asyncio
import ssl
from typing import Self

from restante.network.tls import TlsFailed, TlsLayer
from restante.network.tls_context import unverified_client_context
from tests.simulation.server_machine import ADDRESS

PATIENCE = 60.0  # seconds, for each reply


class Lost(Exception):  # noqa: N818
    """The connection has ended, or the server does not answer."""


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._tls: TlsLayer | None = None
        self._unread = b""

    @classmethod
    async def connect(cls) -> Self:
        """Connect to the server. Raises Lost."""
        try:
            return cls(*await asyncio.open_connection(*ADDRESS))
        except OSError as error:
            raise Lost(str(error)) from None

    def send(self, octets: bytes) -> None:
        """Send."""
        if self._tls is None:
            self._writer.write(octets)
        else:
            self._tls.send(octets)
            self._writer.write(self._tls.take_outgoing())

    async def reply(self) -> tuple[int, str]:
        """Return the code and the text of the next reply. Raises Lost."""
        texts = []
        while True:
            line = await self._line()
            texts.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), "\n".join(texts)

    async def ask(self, command: str) -> tuple[int, str]:
        """Send a command and return its reply."""
        self.send(command.encode() + b"\r\n")
        return await self.reply()

    async def expect(self, command: str, code: int) -> str:
        """Send a command; return the text of its reply. Raises Lost for another code."""
        got, text = await self.ask(command) if command else await self.reply()
        if got != code:
            raise Lost(f"{got} {text} to {command or 'the connection'}")
        return text

    async def start_tls(self) -> None:
        """Begin TLS. Raises Lost."""
        await self.expect("STARTTLS", 220)
        tls = TlsLayer(_CONTEXT, is_server=False)
        self._writer.write(tls.take_outgoing())
        while not tls.is_established:
            try:
                self._unread += tls.receive(await self._octets())
            except TlsFailed as error:
                raise Lost(str(error)) from None
            self._writer.write(tls.take_outgoing())
        self._tls = tls

    def close(self) -> None:
        """Close."""
        self._writer.close()

    def abort(self) -> None:
        """Hang up."""
        self._writer.transport.abort()

    async def _line(self) -> str:
        while b"\r\n" not in self._unread:
            octets = await self._octets()
            try:
                self._unread += octets if self._tls is None else self._tls.receive(octets)
            except TlsFailed as error:
                raise Lost(str(error)) from None
        line, _, self._unread = self._unread.partition(b"\r\n")
        return line.decode()

    async def _octets(self) -> bytes:
        try:
            async with asyncio.timeout(PATIENCE):
                octets = await self._reader.read(65536)
        except (OSError, TimeoutError) as error:
            raise Lost(repr(error)) from None
        if not octets:
            raise Lost("closed")
        return octets


_CONTEXT: ssl.SSLContext = unverified_client_context()
