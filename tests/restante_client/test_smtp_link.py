"""The client's end of a session: all that a server sends is bounded and told plainly."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from restante_client.client_failure import ClientExit, ClientFailure
from restante_client.smtp_link import MAX_LINE, MAX_LINES, SmtpLink
from restante_client.tls_trust import ClientTrust

Act = Callable[[ssl.SSLSocket], None]


@contextmanager
def acting(context: ssl.SSLContext, act: Act) -> Iterator[int]:
    """Act on one connection inside; the port is given."""

    def serve() -> None:
        connection, _ = listener.accept()
        connection.settimeout(60)
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
            act(secured)  # until the client has had enough

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def begun(port: int, ca: Path, timeout: float = 60.0) -> None:
    with SmtpLink("server", ("localhost", port), timeout, ClientTrust(ca)) as link:
        link.begin(is_implicit=True)


def endlessly(octets: bytes) -> Act:
    def act(connection: ssl.SSLSocket) -> None:
        while True:
            connection.sendall(octets)

    return act


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"x" * 8192, f"sent a line of more than {MAX_LINE} octets"),
        (b"220 " + b"x" * 8192 + b"\r\n", f"sent a line of more than {MAX_LINE} octets"),
        (b"220-more\r\n", f"sent a reply of more than {MAX_LINES} lines"),
        (b"\0" * 100 + b"\r\n", "no greeting"),
        (b"22\r\n", "no greeting"),
        ("\u0662\u0662\u0660 digits\r\n".encode(), "no greeting"),
    ],
)
def test_an_endless_server_is_left(
    context: ssl.SSLContext, ca: Path, octets: bytes, told: str
) -> None:
    with acting(context, endlessly(octets)) as port, pytest.raises(ClientFailure, match=told):
        begun(port, ca)


def test_a_server_that_drips_is_left_in_time(context: ssl.SSLContext, ca: Path) -> None:
    """The limit is for the whole reply, not for each octet."""

    def drip(connection: ssl.SSLSocket) -> None:
        while True:
            connection.sendall(b"2")
            time.sleep(0.05)

    started = time.monotonic()
    with acting(context, drip) as port, pytest.raises(ClientFailure, match="no answer in time"):
        begun(port, ca, timeout=2.0)
    assert time.monotonic() - started < 60


def test_a_server_that_hangs_up_is_asked_later(context: ssl.SSLContext, ca: Path) -> None:
    with acting(context, lambda _: None) as port, pytest.raises(ClientFailure) as caught:
        begun(port, ca)
    assert caught.value.code is ClientExit.TRY_LATER
    assert caught.value.text == "server: ended the session; ask again later"


def test_nobody_there(ca: Path) -> None:
    with pytest.raises(ClientFailure, match="Connection refused; check the name and port"):
        begun(1, ca)


def test_clear_text_where_tls_is_expected(ca: Path) -> None:
    def serve() -> None:
        with listener.accept()[0] as connection:
            connection.sendall(b"220 hello\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ClientFailure, match=r"TLS failed: .*; check --tls and the port"):
            begun(listener.getsockname()[1], ca)
        thread.join()


def test_a_port_that_awaits_tls_is_recognized(context: ssl.SSLContext, ca: Path) -> None:
    trust = ClientTrust(ca)
    with (
        acting(context, lambda _: None) as port,
        pytest.raises(ClientFailure, match=r"or try --tls implicit: some ports begin") as caught,
        SmtpLink("server", ("127.0.0.1", port), 0.5, trust) as link,
    ):
        link.begin(is_implicit=False)
    assert caught.value.code is ClientExit.TRY_LATER


def test_an_odd_answer_to_ehlo(context: ssl.SSLContext, ca: Path) -> None:
    def act(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"220 hello\r\n")
        assert connection.recv(100).startswith(b"EHLO ")
        connection.sendall(b"354 go on\r\n")

    with (
        acting(context, act) as port,
        pytest.raises(ClientFailure, match="refused EHLO with 354 go on; check") as caught,
    ):
        begun(port, ca)
    assert caught.value.code is ClientExit.UNAVAILABLE
