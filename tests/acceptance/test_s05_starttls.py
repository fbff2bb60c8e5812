"""S5: STARTTLS on the plain port."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.acceptance.installation import HOST, Installation
from tests.acceptance.peers.askers import curl_asks
from tests.acceptance.peers.programs import run
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session

AWAY: Final = "127.0.0.1:9"
TLS_FIRST: Final = b"530 5.7.0 Must issue a STARTTLS command first\r\n"


@pytest.fixture(scope="module")
def login(restante: Installation) -> Login:
    """The login of the account of alpha.example."""
    return restante.hosts("alpha.example", AWAY)


def test_mail_comes_in_clear_or_under_tls_as_the_sender_likes(
    restante: Installation, login: Login
) -> None:
    """Mail without TLS is accepted; Received says how it came (RFC 3848)."""
    received = [
        received_field(
            restante, send(server, "reader@alpha.example", content=message("any")).stdout
        )
        for server in (restante.mx, restante.starttls)
    ]

    assert " with ESMTP id " in received[0]
    assert re.search(r" with ESMTPS \(TLSv1\.[23] \S+\) id ", received[1])


def received_field(restante: Installation, said: str) -> str:
    """Return the field that was put on a message, given what its sender was told."""
    name = re.findall(r"held as (\w+)", said)[0]
    header = restante.shown("queue", "show", name)["headers"][0]
    assert header["name"] == "Received"
    return f" {' '.join(header['value'].split())}"


def test_the_certificate_is_the_one_configured(restante: Installation) -> None:
    """A client that demands a valid certificate for the host name accepts ours, with one TLS."""
    shown = run(
        *(
            "openssl",
            "s_client",
            "-brief",
            "-starttls",
            "smtp",
            "-connect",
            f"{HOST}:{restante.mx_port}",
        ),
        *("-CAfile", restante.authority, "-verify_hostname", "localhost", "-verify_return_error"),
    )

    assert shown.returncode == 0, shown.stdout
    assert "Verification: OK" in shown.stdout


def test_etrn_is_for_tls_only(restante: Installation, login: Login) -> None:
    """Neither ETRN nor AUTH is offered before, and ETRN is refused if it comes anyway."""
    with Session(restante.mx) as bare, Session(restante.starttls) as secure:
        assert b"STARTTLS" in bare.offer
        assert b"ETRN" not in bare.offer
        assert bare.say("ETRN alpha.example") == TLS_FIRST
        assert b"STARTTLS" not in secure.offer
        assert b"250-ETRN\r\n" in secure.offer
    asked = curl_asks(restante.starttls, login, "alpha.example")
    assert asked.returncode == 0, asked.stdout


def test_nothing_said_in_clear_counts_under_tls(restante: Installation) -> None:
    """Commands put behind STARTTLS by somebody on the line end the session (CVE-2011-0411)."""
    with Session(restante.mx) as session:
        assert session.say("STARTTLS\r\nMAIL FROM:<injected@sender.example>").startswith(b"554 ")
