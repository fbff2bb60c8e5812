"""Customers that nobody can reach fetch their mail by ATRN: our client, Exim, and fetchmail.

The destination of each domain is not there, so mail can come by a turnaround only.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.client_run import login_words, run_client
from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.mailbox import Maildir, content_below
from tests.acceptance.peers.odmr_programs import EximCustomer, fetchmail_turns
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import KeyPair, Primary
from tests.acceptance.peers.programs import Ended
from tests.acceptance.peers.server import Login, Server
from tests.acceptance.sample import DIFFICULT, MARKER, message, send

AWAY: Final = "127.0.0.1:9"
FIRST: Final = "first.example"
SECOND: Final = "second.example"
CLOSED: Final = "closed.example"  # allows no turnaround
LARGE: Final = DIFFICULT[-1]
ACCOUNT: Final = "alpha"


@dataclass(frozen=True)
class Place:
    """A server with mail, and the programs of a customer of it."""

    restante: Installation
    login: Login
    postfix: Primary
    exim: EximCustomer


Turn = Callable[[Place, str], Ended]  # the names are separated by commas; "" is for all domains


def by_client(place: Place, server: Server, targets: str, *more: str) -> Ended:
    words = ["turn", f"{server.host}:{server.port}", *filter(None, targets.split(",")), *more]
    words += ["--local", at(place.postfix)]
    return run_client(*words, *login_words(place.restante.directory, server, place.login))


def by_fetchmail(place: Place, targets: str, *, of_sid: bool) -> Ended:
    names = targets.split(",")
    return fetchmail_turns(place.restante.smtps, place.login, place.postfix, *names, of_sid=of_sid)


CLIENTS: Final[dict[str, Turn]] = {
    "our client, STARTTLS": lambda at, names: by_client(at, at.restante.odmr, names),
    "our client, implicit TLS": lambda at, names: by_client(at, at.restante.smtps, names),
}
EXIMS: Final[dict[str, Turn]] = {
    "Exim, STARTTLS": lambda at, names: at.exim.turn(at.restante.odmr, at.login, names),
    "Exim, implicit TLS": lambda at, names: at.exim.turn(at.restante.smtps, at.login, names),
}
FETCHMAILS: Final[dict[str, Turn]] = {
    "fetchmail 6.4": lambda at, names: by_fetchmail(at, names, of_sid=False),
    "fetchmail 6.6": lambda at, names: by_fetchmail(at, names, of_sid=True),
}
CUSTOMERS: Final = CLIENTS | EXIMS | FETCHMAILS


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """Two domains that allow a turnaround and one that does not."""
    domains = [FIRST, SECOND, CLOSED]
    with (
        Installation(more='[release]\nturnaround = "everywhere"\n') as restante,
        PostfixPrimary(domains, rejects={f"nobody@{FIRST}": "550 5.1.1 no such user"}) as postfix,
        EximCustomer(domains) as exim,
    ):
        postfix.settings["message_size_limit"] = "52428800"
        postfix.start()
        restante.start()
        for domain in (FIRST, SECOND):
            login = restante.hosts(domain, AWAY, "--turnaround", "allow")
        restante.hosts(CLOSED, AWAY)
        restante.do("login", "set", ACCOUNT, login.user, "--turnaround")
        yield Place(restante, login, postfix, exim)


def contents(mailbox: Maildir) -> list[bytes]:
    return [content_below(raw, MARKER) for raw in mailbox.messages() if MARKER in raw]


def held(place: Place, *domains: str) -> list[int]:
    """Return how many messages of each domain are in the store, refused ones included."""
    counts = {one["name"]: one["messages"] for one in place.restante.shown("domain", "list")}
    return [counts[domain] for domain in domains]


@pytest.mark.parametrize("name", CUSTOMERS)
def test_mail_comes_over_the_connection_of_the_customer(place: Place, name: str) -> None:
    """Three messages for two domains, one of them large, byte for byte and once each."""
    mailbox = place.exim.mailbox if name in EXIMS else place.postfix.mailbox
    sent = [message(name), LARGE.replace(b"X-Marker: large", f"X-Marker: {name} large".encode())]
    sent.append(message(f"{name}, second"))
    send(place.restante.mx, f"reader@{FIRST}", content=sent[0])
    send(place.restante.mx, f"reader@{FIRST}", content=sent[1])
    send(place.restante.mx, f"reader@{SECOND}", content=sent[2])
    before = mailbox.count()

    ended = CUSTOMERS[name](place, f"{FIRST},{SECOND}")

    assert ended.returncode == 0, ended.stdout
    eventually(lambda: mailbox.count() >= before + 3, what="three messages")
    arrived = contents(mailbox)
    assert [arrived.count(content) for content in sent] == [1, 1, 1]
    assert held(place, FIRST, SECOND) == [0, 0]


@pytest.mark.parametrize("name", ["our client, STARTTLS", "Exim, STARTTLS"])
def test_no_name_stands_for_all_domains_that_allow_it(place: Place, name: str) -> None:
    """Mail of the third domain stays."""
    mailbox = place.exim.mailbox if name in EXIMS else place.postfix.mailbox
    sent = [message(f"{name}, all, {domain}") for domain in (FIRST, SECOND)]
    stays = held(place, CLOSED)[0] + 1
    for domain, content in zip((FIRST, SECOND), sent, strict=True):
        send(place.restante.mx, f"reader@{domain}", content=content)
    send(place.restante.mx, f"reader@{CLOSED}", content=message(f"{name}, stays"))

    assert CUSTOMERS[name](place, "").returncode == 0
    eventually(lambda: set(sent) <= set(contents(mailbox)), what="both messages")
    assert held(place, FIRST, SECOND, CLOSED) == [0, 0, stays]


# Exit codes where no mail is held, and where a domain allows no turnaround.
EXITS: Final = {
    **dict.fromkeys(CLIENTS, (0, 75)),
    **dict.fromkeys(EXIMS, (0, 0)),
    **dict.fromkeys(FETCHMAILS, (0, 4)),
}


@pytest.mark.parametrize("name", CUSTOMERS)
def test_each_customer_takes_a_refusal_in_its_own_way(place: Place, name: str) -> None:
    """The replies 453 and 450. The table of the guide for CGNAT has these exit codes."""
    assert (
        CUSTOMERS[name](place, FIRST).returncode,
        CUSTOMERS[name](place, f"{FIRST},{CLOSED}").returncode,
    ) == EXITS[name]


def test_a_message_that_the_local_server_refuses_is_told_to_both_sides(place: Place) -> None:
    send(place.restante.mx, f"nobody@{FIRST}", content=message("refused"))
    ended = by_client(place, place.restante.odmr, FIRST)
    assert ended.returncode == 69
    assert "0 messages delivered, 1 refused by the local server (550 5.1.1" in ended.stdout
    refused = place.restante.events("delivery-refused", domain=FIRST)[-1]
    assert refused["destination"] == "turnaround 127.0.0.1 (login alpha)"
    assert held(place, FIRST) == [1]


def test_where_no_local_server_is_nothing_is_asked(place: Place) -> None:
    send(place.restante.mx, f"reader@{SECOND}", content=message("waits"))
    place.postfix.stop()
    ended = by_client(place, place.restante.odmr, SECOND, "--local-wait", "1s")
    assert ended.returncode == 75
    assert "the local mail server does not answer" in ended.stderr
    place.postfix.start()
    assert held(place, SECOND) == [1]
    assert by_client(place, place.restante.odmr, SECOND).returncode == 0
    assert held(place, SECOND) == [0]


@pytest.mark.parametrize("name", ["our client", "Exim"])
def test_a_certificate_replaces_the_password(place: Place, tmp_path: Path, name: str) -> None:
    user = place.login.user
    made = tmp_path / "made"
    place.restante.do("login", "certificate", ACCOUNT, user, "--generate", str(made))
    keys = KeyPair(made / f"{user}.pem", made / f"{user}.key")
    content = message(f"{name} by certificate")
    send(place.restante.mx, f"reader@{SECOND}", content=content)
    if name == "Exim":
        ended = place.exim.turn(place.restante.odmr, place.login, SECOND, keys)
        mailbox = place.exim.mailbox
    else:
        server, mailbox = place.restante.odmr, place.postfix.mailbox
        words = ["turn", f"{server.host}:{server.port}", SECOND, "--local", at(place.postfix)]
        words += ["--certificate", str(keys.certificate), "--key", str(keys.key)]
        ended = run_client(*words, "--ca", str(server.authority))
    assert ended.returncode == 0, ended.stdout
    eventually(lambda: content in contents(mailbox), what="the message")
    assert place.restante.events("authentication")[-1]["mechanism"] == "EXTERNAL"


def test_a_last_line_without_an_end_comes_through_fetchmail_by_chunks(place: Place) -> None:
    """fetchmail passes whole lines on. The second turnaround knows that Postfix takes chunks."""
    unended = b"Subject: unended\r\n\r\nno end"
    before, stays = place.postfix.mailbox.count(), held(place, FIRST)
    for _ in range(2):
        with smtplib.SMTP(place.restante.mx.host, place.restante.mx.port, timeout=90) as session:
            session.ehlo()
            session.docmd("MAIL", "FROM:<me@sender.example>")
            session.docmd("RCPT", f"TO:<reader@{FIRST}>")
            session.send(b"BDAT %d LAST\r\n%s" % (len(unended), unended))
            assert session.getreply()[0] == 250
        assert by_fetchmail(place, FIRST, of_sid=False).returncode == 0
        assert held(place, FIRST) == stays
    eventually(lambda: place.postfix.mailbox.count() == before + 2, what="both messages")
    assert place.restante.events("delivery-attempt")[-1]["manner"] == "ahead"
