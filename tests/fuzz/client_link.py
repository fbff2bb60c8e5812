"""A provider's octets into the client kit, from its greeting to its reply to ATRN.

The rule: a granted or declined turnaround or ClientFailure, nothing else. Each command is one line.
No password leaves without TLS, and none is shown. A text for the user is one line. Memory stays
bounded. After a granted turnaround, no octet of the provider is lost.
"""

import base64
import hashlib
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final, Self, cast
from unittest.mock import patch

from restante_client.client_failure import ClientFailure
from restante_client.etrn_request import MailServer
from restante_client.local_server import LocalServer
from restante_client.octet_pipe import PipeLimits
from restante_client.sasl_exchange import BY_PASSWORD, MAX_ITERATIONS, ClientCredentials
from restante_client.smtp_link import MAX_LINE
from restante_client.turn_session import TurnResult, turn_mail
from tests.fuzz.choices import Choices, pieces, read_input

PASSWORD: Final = "corr\u00e9ct horse"
_MECHANISMS: Final = ("", *BY_PASSWORD)
_TARGETS: Final = ((), ("a.example",), ("a.example", "#account", "@b.example"))
_READ: Final = 4096


def check(data: bytes) -> None:
    """Run one input. Raises what breaks the rule."""
    settings, octets, stream = read_input(data, 3)
    credentials = ClientCredentials("us", PASSWORD, settings.one_of(_MECHANISMS))
    provider = _Provider(pieces(stream, Choices(octets)), has_tls=settings.flag())
    asked = MailServer("p.example", credentials, cast(Any, _Trust()), provider.has_tls, 60.0)
    targets = settings.one_of(_TARGETS)
    local = LocalServer(cast(Any, _Local()), b"220 local\r\n")
    piped: list[bytes] = []
    with ExitStack() as stack:
        for name, instead in (("create_connection", provider.connected), ("gethostname", _name)):
            stack.enter_context(patch.object(socket, name, instead))
        stack.enter_context(patch.object(hashlib, "pbkdf2_hmac", _salted_quickly))
        stack.enter_context(patch.object(secrets, "token_urlsafe", _nonce))
        stack.enter_context(patch("restante_client.turn_session.OctetPipe", _pipe_into(piped)))
        try:
            result = turn_mail(asked, targets, local, PipeLimits(60.0, 600.0))
        except ClientFailure as failure:
            text = failure.text
        else:
            assert isinstance(result, TurnResult)
            text = result.text
    assert text.isprintable(), repr(text)
    assert len(text) < 3 * MAX_LINE * 128
    if b"AUTH " in provider.said:  # before it, a server that says the password knew it
        told = "".join(text.split())
        assert "".join(PASSWORD.split()) not in told
        assert base64.b64encode(PASSWORD.encode()).decode()[:12] not in told
    provider.check()
    if piped:  # it got all that followed the reply to ATRN, as far as it was read
        assert stream[: provider.taken].endswith(piped[0])
        assert b"\r\nATRN" in b"\r\n" + provider.said


def _name() -> str:
    return "client.example"


def _nonce(_: int) -> str:
    return "nonce"


def _salted_quickly(kind: str, secret: bytes, salt: bytes, iterations: int) -> bytes:
    assert 0 < iterations <= MAX_ITERATIONS
    return _PBKDF2(kind, secret, salt, 1)


_PBKDF2: Final = hashlib.pbkdf2_hmac


def _pipe_into(piped: list[bytes]) -> Any:
    """Return a pipe that takes note of the octets that were read early."""

    class Pipe:
        def __init__(self, *_: object) -> None:
            pass

        def run(self, from_provider: bytes, from_local: bytes) -> None:
            assert from_local == b"220 local\r\n"
            piped.append(from_provider)

    return Pipe


class _Local:
    """The connection to the local server."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def settimeout(self, _: float) -> None:
        pass

    def sendall(self, octets: bytes) -> None:
        assert octets == b"QUIT\r\n"

    def recv(self, _: int) -> bytes:
        return b""

    def close(self) -> None:
        pass


class _Trust:
    """Trusts everybody, and wraps a socket in itself."""

    certificate = None  # we show none

    def context(self) -> Any:
        return self

    def wrap_socket(self, connection: "_Provider", server_hostname: str) -> "_Provider":
        assert server_hostname == "p.example"
        assert not connection.is_secured
        connection.is_secured = True
        return connection

    def check(self, connection: "_Provider", server: str) -> None:
        assert connection.is_secured
        assert server == "p.example"


class _Provider:
    """The provider's end: a socket that gives a piece for each read."""

    def __init__(self, spoken: Iterator[bytes], *, has_tls: bool) -> None:
        self.has_tls = has_tls
        self.is_secured = False
        self.said = b""  # by the client
        self.taken = 0  # octets that the client has read
        self._spoken = spoken
        self._rest = b""

    def connected(self, endpoint: tuple[str, int], timeout: float) -> "_Provider":
        assert endpoint[0] == "p.example"
        assert timeout > 0
        return self

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def getsockname(self) -> tuple[str, int]:
        return ("192.0.2.1", 1)

    def sendall(self, octets: bytes) -> None:
        assert octets.endswith(b"\r\n")
        assert octets.count(b"\n") == octets.count(b"\r") == 1
        assert b"\0" not in octets
        assert self.is_secured or octets[:8] in (b"EHLO cli", b"STARTTLS", b"QUIT\r\n")
        self.said += octets

    def recv(self, most: int) -> bytes:
        assert most <= _READ
        if not self._rest:
            self._rest = next(self._spoken, b"")
        piece, self._rest = self._rest[:most], self._rest[most:]
        self.taken += len(piece)
        return piece

    def close(self) -> None:
        pass

    def check(self) -> None:
        """Check all that the client said."""
        assert self.said.count(b"\n") < 30, "it never ends"
        assert self.said.count(b"AUTH ") <= len(BY_PASSWORD)
        assert len(self.said) < 10_000
