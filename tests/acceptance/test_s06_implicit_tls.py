"""S6: TLS from the first byte, on port 465."""

from __future__ import annotations

import socket
from typing import Final

import pytest

from tests.acceptance.installation import HOST, Installation
from tests.acceptance.peers.askers import curl_asks, fetchmail_asks, msmtp_asks
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session

AWAY: Final = "127.0.0.1:9"


@pytest.fixture(scope="module")
def login(restante: Installation) -> Login:
    """The login of the account of alpha.example."""
    return restante.hosts("alpha.example", AWAY)


def test_every_asker_gets_through(restante: Installation, login: Login) -> None:
    """With the certificate checked by each of the three TLS libraries behind these programs."""
    for ask in (fetchmail_asks, curl_asks, msmtp_asks):
        asked = ask(restante.smtps, login, "alpha.example")
        assert asked.returncode == 0, asked.stdout


def test_the_greeting_comes_inside_tls(restante: Installation) -> None:
    """And there is no STARTTLS within."""
    with Session(restante.smtps) as session:
        assert session.greeting.startswith(b"220 mx2.example.net ESMTP")
        assert b"STARTTLS" not in session.offer
        assert session.say("STARTTLS").startswith(b"503 ")


def test_mail_is_taken_here_too(restante: Installation, login: Login) -> None:
    """The service is the same as on the plain port."""
    sent = send(restante.smtps, "reader@alpha.example", content=message("by implicit TLS"))

    assert "held as" in sent.stdout


def test_a_client_in_clear_hears_no_smtp(restante: Installation) -> None:
    """Nothing is sent before the handshake, and plain text gets at most an alert."""
    with socket.create_connection((HOST, restante.smtps_port), timeout=90) as client:
        client.sendall(b"EHLO sender.example\r\n")
        heard = b""
        while piece := client.recv(4096):
            heard += piece

    assert b"220" not in heard
    assert len(heard) < 16
