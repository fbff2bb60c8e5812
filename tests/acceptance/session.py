"""A session by hand: for commands that no program sends, and replies compared octet by octet."""

from __future__ import annotations

import base64
import socket
import ssl
from typing import Self

from tests.acceptance.peers.primary import KeyPair
from tests.acceptance.peers.server import Login, Server, Tls

TIMEOUT = 90.0  # seconds


class Session:
    """Connects and says EHLO, under TLS as the `Server` wants it.

    `source` is its own address, and `shows` its certificate.
    """

    def __init__(
        self,
        server: Server,
        *,
        source: str = "127.0.0.1",
        hello: str = "asker.example",
        shows: KeyPair | None = None,
    ) -> None:
        self._server = server
        self._shows = shows
        self._hello = hello
        address = (server.host, server.port)
        self._socket = socket.create_connection(
            address, timeout=TIMEOUT, source_address=(source, 0)
        )
        try:
            self._begin()
        except BaseException:
            self._socket.close()
            raise

    def _begin(self) -> None:
        if self._server.tls is Tls.IMPLICIT:
            self._begin_tls()
        self.greeting = self._reply()
        self.offer = self.say(f"EHLO {self._hello}")
        if self._server.tls is Tls.STARTTLS:
            assert self.say("STARTTLS").startswith(b"220")
            self._begin_tls()
            self.offer = self.say(f"EHLO {self._hello}")

    def _begin_tls(self) -> None:
        context = ssl.create_default_context(cafile=self._server.authority)
        if self._shows is not None:
            context.load_cert_chain(self._shows.certificate, self._shows.key)
        self._socket = context.wrap_socket(self._socket, server_hostname=self._server.host)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def say(self, line: str) -> bytes:
        """Send a line and return the whole reply."""
        self._socket.sendall(f"{line}\r\n".encode())
        return self._reply()

    def authenticate(self, login: Login) -> bytes:
        """Authenticate by PLAIN and return the reply."""
        return self.say(f"AUTH PLAIN {plain_response(login)}")

    def _reply(self) -> bytes:
        """Read up to the last line of a reply, which has a space after its code (§4.2.1)."""
        reply = b""
        while not (reply.endswith(b"\r\n") and reply.splitlines()[-1][3:4] == b" "):
            piece = self._socket.recv(4096)
            assert piece, f"the server hung up after {reply!r}"
            reply += piece
        return reply


def plain_response(login: Login) -> str:
    """Return what PLAIN sends (RFC 4616)."""
    return base64.b64encode(f"\0{login.user}\0{login.password}".encode()).decode()
