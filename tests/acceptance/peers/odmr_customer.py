"""A primary that takes its mail by ATRN (RFC 2645), without a server of its own.

With `reads_like_fetchmail`, it then waits on the socket and reads one line each time. The rest of
a TLS record stays in its TLS library, and nothing wakes it for that.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final, Self

from tests.acceptance.peers.server import Login, Server, Tls
from tests.acceptance.session import plain_response

TIMEOUT: Final = 90.0  # seconds
NAME: Final = "mail.customer.example"
OFFER: Final = (f"250-{NAME}", "250-PIPELINING", "250-SIZE 50000000", "250 8BITMIME")


class Stalled(Exception):  # noqa: N818
    """No line came in time, although octets wait in the TLS library."""


class OdmrCustomer:
    """One connection, from the greeting to the end of the turnaround."""

    def __init__(
        self,
        server: Server,
        *,
        reads_like_fetchmail: bool = False,
        offer: tuple[str, ...] = OFFER,
        reply_to: Callable[[str], str] | None = None,
    ) -> None:
        """`reply_to` answers a command line; "" for the usual answer."""
        self._reads_like_fetchmail = reads_like_fetchmail
        self._offer = offer
        self._reply_to = reply_to or (lambda _line: "")
        self._server = server
        self.taken: list[bytes] = []
        self.commands: list[str] = []
        self.patience = TIMEOUT
        self._buffer = b""
        self._is_serving = False
        self._socket: socket.socket = socket.create_connection(
            (server.host, server.port), timeout=TIMEOUT
        )
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if server.tls is Tls.IMPLICIT:
            self._begin_tls()
        self.greeting = self.reply()
        self.offered = self.say(f"EHLO {NAME}")
        if server.tls is Tls.STARTTLS:
            assert self.say("STARTTLS").startswith(b"220")
            self._begin_tls()
            self.offered = self.say(f"EHLO {NAME}")

    def _begin_tls(self) -> None:
        context = ssl.create_default_context(cafile=self._server.authority)
        self._socket = context.wrap_socket(self._socket, server_hostname=self._server.host)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Close without a word."""
        self._socket.close()

    def send(self, octets: bytes) -> None:
        """Send anything."""
        self._socket.sendall(octets)

    def say(self, line: str) -> bytes:
        """Send a line and return the whole reply."""
        self.send(f"{line}\r\n".encode())
        return self.reply()

    def login(self, login: Login) -> bytes:
        """Authenticate, and return the reply."""
        return self.say(f"AUTH PLAIN {plain_response(login)}")

    def turn(self, login: Login, argument: str = "") -> bytes:
        """Authenticate and ask for a turnaround; return the reply to ATRN."""
        assert self.login(login).startswith(b"235")
        return self.say(f"ATRN {argument}".strip())

    def reply(self) -> bytes:
        """Read a whole reply; b"" at the end of the stream."""
        reply = self._line()
        while reply and reply.splitlines()[-1][3:4] == b"-":
            reply += self._line()
        return reply

    def serve(self, most: int = 2**31) -> None:
        """Be the server until QUIT, the end, or so many messages."""
        self._is_serving = True
        self.send(f"220 {NAME} ESMTP\r\n".encode())
        while len(self.taken) < most and (line := self._line()):
            self._obey(line.decode().rstrip("\r\n"))
            if line == b"QUIT\r\n":
                return

    def _obey(self, line: str) -> None:
        self.commands.append(line)
        answer = self._reply_to(line)
        if answer:
            self.send(f"{answer}\r\n".encode())
        elif line.startswith("EHLO"):
            self.send("".join(f"{one}\r\n" for one in self._offer).encode())
        elif line == "DATA":
            self.send(b"354 go ahead\r\n")
            self._take()
        elif line == "QUIT":
            self.send(b"221 bye\r\n")
        else:
            self.send(b"250 OK\r\n")

    def _take(self) -> None:
        lines: list[bytes] = []
        while (line := self._line()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        answer = self._reply_to("content")
        self.send(f"{answer or '250 queued'}\r\n".encode())
        if not answer or answer.startswith("2"):
            self.taken.append(b"".join(lines))

    def _line(self) -> bytes:
        if self._is_serving and self._reads_like_fetchmail:
            return self._line_of_fetchmail()
        return self._line_of_stream()

    def _line_of_stream(self) -> bytes:
        while b"\n" not in self._buffer:
            self._socket.settimeout(self.patience)
            piece = self._socket.recv(65536)
            if not piece:
                return b""
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line + b"\n"

    def _line_of_fetchmail(self) -> bytes:
        """Wait on the socket; then read up to the end of one line, octet by octet."""
        until = time.monotonic() + self.patience
        if not select.select([self._socket], [], [], max(0.0, until - time.monotonic()))[0]:
            raise Stalled
        line = b""
        while not line.endswith(b"\n"):
            octet = self._socket.recv(1)
            if not octet:
                return b""
            line += octet
        return line
