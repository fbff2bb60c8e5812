"""Hygiene before the hold: block lists and early talkers, with a name server on loopback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.loopback import addresses
from tests.acceptance.name_server import NameServer
from tests.acceptance.sample import message
from tests.acceptance.session import TIMEOUT, Session

HYGIENE: Final = """
[hygiene]
dnsbl = ["bl.example*2", "slow.example"]
greeting_pause = 2
spf = true
greylist = true
"""
AWAY: Final = "127.0.0.1:9"
DOMAINS: Final = ("mark.example", "defer.example", "off.example")
LISTED: Final = b"450 4.7.1 Not now: the client is listed at bl.example (127.0.0.2)\r\n"
NOT_ALLOWED: Final = b"450 4.7.23 Not now: SPF of spf.example does not allow the client\r\n"
OWN: Final = b"450 4.7.1 Not now: mail of this domain from outside\r\n"
EARLY: Final = b"450 4.7.0 Not now: the client spoke before the greeting\r\n"


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """The DNS as the server under test sees it."""
    with NameServer({}) as names:
        yield names


@pytest.fixture(scope="module")
def restante(names: NameServer) -> Iterator[Installation]:
    """An installation with a domain for each policy."""
    with Installation(more=names.settings + HYGIENE) as restante:
        restante.start()
        for domain in DOMAINS:
            restante.hosts(domain, AWAY, allow=["127.0.0.1"])
        restante.do("domain", "set", "defer.example", "--hygiene", "defer")
        restante.do("domain", "set", "defer.example", "--own-domain", "defer")
        restante.do("domain", "set", "off.example", "--hygiene", "off")
        yield restante


def replies(session: Session, sender: str = "a@sender.example") -> dict[str, bytes]:
    """Begin a message to all domains; return the reply for each."""
    assert session.say(f"MAIL FROM:<{sender}>").startswith(b"250")
    return {domain: session.say(f"RCPT TO:<x@{domain}>") for domain in DOMAINS}


def send(session: Session, domain: str) -> str:
    """Send one message to one domain; return its name."""
    for line in ("RSET", "MAIL FROM:<a@sender.example>", f"RCPT TO:<x@{domain}>"):
        assert session.say(line).startswith(b"250")
    assert session.say("DATA").startswith(b"354")
    return session.say(message("a message").decode() + ".").split()[-1].decode()


def test_the_policy_of_a_domain_decides_about_a_listed_client(
    restante: Installation, names: NameServer
) -> None:
    listed, honest = addresses(2)
    zone = ".".join(reversed(listed.split("."))) + ".bl.example"
    names.records = {zone: {"A": ["127.0.0.2"]}}
    names.failing = {zone.replace("bl.", "slow.")}  # a list that is down costs nothing
    with Session(restante.mx, source=listed) as session:
        found = replies(session)
        assert found["defer.example"] == LISTED
        assert found["mark.example"].startswith(b"250")
        assert found["off.example"].startswith(b"250")
        marked = restante.shown("queue", "show", send(session, "mark.example"))
        plain = restante.shown("queue", "show", send(session, "off.example"))
    assert marked["is_suspect"]
    verdict = "suspect; score 2; the client is listed at bl.example (127.0.0.2)"
    assert marked["origin"]["verdicts"] == {"dnsbl": verdict}
    assert (plain["is_suspect"], plain["origin"]["verdicts"]) == (False, {})
    with Session(restante.mx, source=honest) as session:
        assert all(reply.startswith(b"250") for reply in replies(session).values())
    [refused] = restante.events("recipient-refused", peer=listed)
    assert refused["reason"] == "check dnsbl: the client is listed at bl.example (127.0.0.2)"


def test_spf_decides_about_the_domain_of_the_sender(
    restante: Installation, names: NameServer
) -> None:
    right, wrong = addresses(2)
    names.records = {"spf.example": {"TXT": [f'"v=spf1 ip4:{right} -all"']}}
    names.failing = {"broken.example"}
    with Session(restante.mx, source=wrong) as session:
        found = replies(session, "a@spf.example")
        assert found["defer.example"] == NOT_ALLOWED
        assert found["mark.example"].startswith(b"250")
        session.say("RSET")
        unknown = replies(session, "a@broken.example")
        assert all(reply.startswith(b"250") for reply in unknown.values())
    with Session(restante.mx, source=right) as session:
        found = replies(session, "a@spf.example")
        assert all(reply.startswith(b"250") for reply in found.values())


def test_mail_of_the_own_domain_is_put_off_from_outside_only(restante: Installation) -> None:
    [outside] = addresses(1)
    for source, reply in ((outside, OWN), ("127.0.0.1", b"250 2.1.5 OK\r\n")):
        with Session(restante.mx, source=source) as session:
            found = replies(session, "boss@defer.example")
        assert found["defer.example"] == reply
        assert found["mark.example"].startswith(b"250")


def test_a_client_that_speaks_before_the_greeting_is_put_off(restante: Installation) -> None:
    [early] = addresses(1)
    address = (restante.mx.host, restante.mx.port)
    with socket.create_connection(address, timeout=TIMEOUT, source_address=(early, 0)) as client:
        for domain in DOMAINS:
            client.sendall(b"EHLO x\r\nMAIL FROM:<a@sender.example>\r\n")
            client.sendall(f"RCPT TO:<x@{domain}>\r\n".encode())
        client.sendall(b"QUIT\r\n")
        said = b""
        while more := client.recv(65536):
            said += more
    assert said.startswith(b"220 ")
    assert said.count(EARLY) == 1
    assert said.count(b"\r\n250 2.1.5 ") == 2


def test_the_server_says_which_settings_it_uses(restante: Installation) -> None:
    shown = restante.do("domain", "show", "defer.example")
    lines = {line.split("  ")[0]: line.split()[-1] for line in shown.splitlines() if line}
    assert (lines["hygiene"], lines["own domain"]) == ("defer", "defer")
