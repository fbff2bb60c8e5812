"""A destination on loopback that does what its script says.

`script` maps the beginning of a command to the reply: a text, or a list of texts used one after the
other. "GREETING", "HANDSHAKE" (without a context for TLS) and "CONTENT" are the moments without a
command. A reply that ends in LF is sent as it is. CLOSE, SILENCE and TARPIT are acts instead of
replies. Without an entry all is well. With CHUNKING in its offer it accepts BDAT too, and refuses a
chunk without recipients like Postfix.

It can speak the PROXY protocol, and offer XCLIENT. Then each message that it takes has the client
in whose name its session was: the address, and the last EHLO name.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self, cast

from restante.network.tls import TlsFailed, TlsLayer
from restante.smtp.content import DataDecoder
from restante.smtp.proxy_header import SIGNATURE

CLOSE: Final = "CLOSE"  # the connection, at once
DROPS: Final = "DROPS"  # all that came with the end of content, without a reply
REFUSES: Final = "REFUSES"  # the same, by a 503 to each line
SILENCE: Final = "SILENCE"  # no reply, and nothing read any more
TARPIT: Final = "TARPIT"  # no reply any more; it sees that the connection is closed
GARBAGE: Final = "\x16\x03nonsense"
_DEFAULTS: Final[Mapping[str, str]] = {
    "GREETING": "220 p.example ESMTP",
    "MAIL": "250 2.1.0 OK",
    "RCPT": "250 2.1.5 OK",
    "DATA": "354 go ahead",
    "BDAT": "554 5.5.1 no valid recipients",
    "CONTENT": "250 2.0.0 queued",
    "RSET": "250 2.0.0 OK",
    "STARTTLS": "220 go ahead",
    "HANDSHAKE": "this is no TLS",
    "AUTH": "235 welcome",
    "XCLIENT": "220 p.example ESMTP",
    "QUIT": "221 bye",
}
PROXIED: Final = 0x21
IPV4: Final = 0x11
Script = dict[str, str | list[str]]


@dataclass(frozen=True)
class Taken:
    """A message that got its 250."""

    reverse_path: str
    forward_paths: tuple[str, ...]
    content: bytes
    client: str = ""  # "address EHLO-name" by XCLIENT or PROXY; "" for ourselves


@dataclass
class ScriptedPrimary(AbstractAsyncContextManager["ScriptedPrimary"]):
    """Listens on a port of its own while the block lasts."""

    script: Script = field(default_factory=dict)
    offer: tuple[str, ...] = ("PIPELINING", "8BITMIME")
    network: str = ""  # where the address of the client begins so, `network_script` comes first
    network_script: Script = field(default_factory=dict)
    behind_content: str = (
        ""  # DROPS, REFUSES or CLOSE, where more comes with content than its end mark
    )
    behind_chunk: str = ""  # the same, behind the content of a chunk
    is_silent_at_chunks: bool = False  # with content; DATA is well
    context: ssl.SSLContext | None = None  # for STARTTLS
    speaks_proxy: bool = False  # it says nothing before the header
    headers: list[bytes] = field(default_factory=list)
    seconds: Mapping[str, float] = field(default_factory=dict)  # to wait before a reply, by verb
    taken: list[Taken] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)  # of all connections
    connections: int = 0  # ever made
    made_at: list[float] = field(default_factory=list)  # these, by the clock of the loop
    open: set["_Session"] = field(default_factory=set)
    most_open: int = 0
    port: int = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Session(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for session in list(self.open):
            session.transport.abort()
        await asyncio.sleep(0)

    def answer_to(self, client: str, command: str) -> str:
        """Return what is said to a client; "": ourselves."""
        is_near = bool(client) and client.startswith(self.network)
        said = _scripted(self.network_script, command) if is_near else None
        return self.answer(command) if said is None else said

    def answer(self, command: str) -> str:
        """Return what the script says to a command; the longest key that fits it decides."""
        if (said := _scripted(self.script, command)) is not None:
            return said
        if command.startswith("EHLO"):
            return "\r\n".join(
                [*(f"250-{line}" for line in ("p.example", *self.offer)), "250 HELP"]
            )
        return next(
            (reply for key, reply in _DEFAULTS.items() if command.startswith(key)), "500 what?"
        )

    def taken_by(self, session: "_Session") -> None:
        """Called when a session has taken a message; does nothing."""


def _scripted(script: Script, command: str) -> str | None:
    for key in sorted(script, key=len, reverse=True):
        if command.startswith(key):
            scripted = script[key]
            if isinstance(scripted, str):
                return scripted
            if scripted:
                return scripted.pop(0)
    return None


class _Session(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport

    def __init__(self, primary: ScriptedPrimary) -> None:
        self._primary = primary
        self._buffer = b""
        self._tls: TlsLayer | None = None
        self._ignores_tls = False
        self._is_silent = False
        self._decoder: DataDecoder | None = None
        self._content = b""
        self._owed = 0  # octets of a chunk
        self._reverse_path = ""
        self._forward_paths: list[str] = []
        self._client, self._hello = "", ""
        self._awaits_header = primary.speaks_proxy

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        primary = self._primary
        primary.connections += 1
        primary.made_at.append(asyncio.get_running_loop().time())
        primary.open.add(self)
        primary.most_open = max(primary.most_open, len(primary.open))
        if not self._awaits_header:
            self._say(primary.answer("GREETING"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._primary.open.discard(self)

    def data_received(self, data: bytes) -> None:
        if self._tls is not None:
            try:
                data = self._tls.receive(data)
            except TlsFailed:
                self.transport.write(self._tls.take_outgoing())
                self.transport.close()
                return
            self.transport.write(self._tls.take_outgoing())
        if self._ignores_tls:
            self._say(self._primary.answer("HANDSHAKE"))
            return
        self._buffer += data
        if self._awaits_header and not self._take_header():
            return
        while (
            self._buffer
            and not self._is_silent
            and not self.transport.is_closing()
            and self._advance()
        ):
            pass

    def _take_header(self) -> bool:
        header = self._buffer[:16]
        if len(header) < 16:
            return False
        if header[:12] != SIGNATURE:
            self.transport.abort()
            return False
        length = int.from_bytes(header[14:16], "big")
        if len(self._buffer) < 16 + length:
            return False
        whole, self._buffer = self._buffer[: 16 + length], self._buffer[16 + length :]
        self._primary.headers.append(whole)
        if header[12] == PROXIED:
            octets = 4 if header[13] == IPV4 else 16
            self._client = str(ipaddress.ip_address(whole[16 : 16 + octets]))
        self._awaits_header = False
        self._say(self._primary.answer(f"GREETING {self._client}"))
        return True

    def _advance(self) -> bool:
        if self._decoder is not None:
            return self._take_content(self._decoder)
        if self._owed:
            return self._take_chunk()
        line, end, rest = self._buffer.partition(b"\r\n")
        if end:
            self._buffer = rest
            self._obey(line.decode())
        return bool(end)

    def _take_content(self, decoder: DataDecoder) -> bool:
        self._content += decoder.receive(self._buffer)
        self._buffer = decoder.surplus
        if decoder.is_complete:
            self._decoder = None
            self._end_content()
            self._meet_what_is_behind(self._primary.behind_content)
        return decoder.is_complete

    def _meet_what_is_behind(self, behind: str) -> None:
        if not self._buffer:
            return
        if behind == CLOSE:
            self.transport.close()
        elif behind == REFUSES:
            self.transport.write(
                b"503 5.5.1 Bad sequence of commands\r\n" * self._buffer.count(b"\n")
            )
        if behind:
            self._buffer = b""

    def _take_chunk(self) -> bool:
        octets, self._buffer = self._buffer[: self._owed], self._buffer[self._owed :]
        self._content += octets
        self._owed -= len(octets)
        if not self._owed:
            self._end_chunk()
        return bool(octets)

    def _end_chunk(self) -> None:
        if self._forward_paths and self._primary.is_silent_at_chunks:
            self._say(SILENCE)
        elif self._forward_paths:
            self._end_content()
            self._meet_what_is_behind(self._primary.behind_chunk)
        else:
            self._say(self._primary.answer("BDAT"))

    def _end_content(self) -> None:
        reply = self._primary.answer_to(self._client, "CONTENT")
        if reply.startswith("25"):
            client = f"{self._client} {self._hello}" if self._client else ""
            taken = Taken(self._reverse_path, tuple(self._forward_paths), self._content, client)
            self._primary.taken.append(taken)
        self._say(reply)
        if reply.startswith("25"):
            self._primary.taken_by(self)
        self._reverse_path, self._forward_paths = "", []

    def _begin_chunk(self, command: str) -> None:
        self._owed, self._content = int(command.split()[1]), b""
        if not self._owed:
            self._end_chunk()

    def _obey(self, command: str) -> None:
        self._primary.commands.append(command)
        if command.startswith("BDAT"):
            self._begin_chunk(command)
            return
        reply = self._primary.answer_to(self._client, command)
        path = command.partition("<")[2].partition(">")[0]
        if command.startswith(("EHLO", "HELO")):
            self._hello = command[5:]
        elif command.startswith("XCLIENT") and reply.startswith("220"):
            assert not self._client, "a second XCLIENT"
            self._client = command.partition(" ADDR=")[2].split()[0].removeprefix("IPV6:")
        if command.startswith("MAIL") and reply.startswith("2"):
            self._reverse_path, self._forward_paths = path, []
        elif command.startswith("RCPT") and reply.startswith("2"):
            self._forward_paths.append(path)
        elif command == "DATA" and reply.startswith("354"):
            self._decoder, self._content = DataDecoder(), b""
        if (seconds := self._primary.seconds.get(command[:4], 0)) > 0:
            asyncio.get_running_loop().call_later(seconds, self._say, reply)
        else:
            self._say(reply)
        if command == "QUIT" and reply.startswith("221"):
            self.transport.close()
        if command == "STARTTLS" and reply.startswith("220"):
            self._start_tls()

    def _start_tls(self) -> None:
        self._buffer = b""
        self._ignores_tls = self._primary.context is None
        if self._primary.context is not None:
            self._tls = TlsLayer(self._primary.context, is_server=True)

    def _say(self, reply: str) -> None:
        if reply == CLOSE:
            self.transport.abort()
        elif reply in (SILENCE, TARPIT):
            self._is_silent = True
            if reply == SILENCE:
                self.transport.pause_reading()
        elif self._tls is not None:
            self._tls.send(reply.encode() + b"\r\n")
            self.transport.write(self._tls.take_outgoing())
        else:
            self.transport.write(reply.encode() + (b"" if reply.endswith("\n") else b"\r\n"))
            if reply.startswith("421"):
                self.transport.close()
