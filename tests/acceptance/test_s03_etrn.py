"""S3: the primary asks by ETRN, and its mail arrives as ordinary new mail."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from tests.acceptance.installation import HOSTNAME, Installation, at
from tests.acceptance.peers.askers import curl_asks, fetchmail_asks, msmtp_asks
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.exim import EximPrimary
from tests.acceptance.peers.mailbox import fields_above
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.programs import Ended
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import DIFFICULT, MARKER, arrived, message, send

Ask = Callable[[Installation, Login, str], Ended]


@dataclass(frozen=True, slots=True)
class Requester:
    """A program, and the traffic that the server must see."""

    ask: Ask
    mechanism: str


OPERATOR: Final = f"operator {pwd.getpwuid(os.getuid()).pw_name}"
PLAIN: Final = ("--login-options", "AUTH=PLAIN")
ASKERS: Final = {
    "fetchmail": Requester(
        lambda at, who, target: fetchmail_asks(at.smtps, who, target), "CRAM-MD5"
    ),
    "curl, implicit TLS, CRAM-MD5": Requester(
        lambda at, who, target: curl_asks(at.smtps, who, target), "CRAM-MD5"
    ),
    "curl, implicit TLS, PLAIN": Requester(
        lambda at, who, target: curl_asks(at.smtps, who, target, *PLAIN), "PLAIN"
    ),
    "curl, STARTTLS, PLAIN at once": Requester(
        lambda at, who, target: curl_asks(at.starttls, who, target, *PLAIN, "--sasl-ir"), "PLAIN"
    ),
    "msmtp, implicit TLS, PLAIN": Requester(
        lambda at, who, target: msmtp_asks(at.smtps, who, target), "PLAIN"
    ),
    "msmtp, STARTTLS, CRAM-MD5": Requester(
        lambda at, who, target: msmtp_asks(at.starttls, who, target, mechanism="cram-md5"),
        "CRAM-MD5",
    ),
    "msmtp, implicit TLS, SCRAM-SHA-256": Requester(
        lambda at, who, target: msmtp_asks(at.smtps, who, target, mechanism="scram-sha-256"),
        "SCRAM-SHA-256",
    ),
    "restante etrn, implicit TLS": Requester(
        lambda at, who, target: at.etrn(target, login=who), "SCRAM-SHA-256"
    ),
    "restante etrn, implicit TLS, PLAIN": Requester(
        lambda at, who, target: at.etrn(target, login=who, options=["--auth", "plain"]), "PLAIN"
    ),
    "restante etrn, implicit TLS, LOGIN": Requester(
        lambda at, who, target: at.etrn(target, login=who, options=["--auth", "login"]), "LOGIN"
    ),
    "restante etrn, STARTTLS, CRAM-MD5": Requester(
        lambda at, who, target: at.etrn(
            target, login=who, server=at.starttls, options=["--auth", "cram-md5"]
        ),
        "CRAM-MD5",
    ),
}


@pytest.fixture(scope="module")
def postfix() -> Iterator[Primary]:
    """The primary of the domains of this file; on."""
    with PostfixPrimary(["alpha.example", "mail.alpha.example", "second.example"]) as primary:
        primary.start()
        yield primary


@pytest.fixture(scope="module")
def login(restante: Installation, postfix: Primary) -> Login:
    """The login of an account with these domains."""
    for domain in postfix.domains:
        login = restante.hosts(domain, at(postfix))
    return login


@pytest.mark.parametrize("name", ASKERS)
def test_mail_comes_when_the_primary_asks(
    restante: Installation, postfix: Primary, login: Login, name: str
) -> None:
    """With each program, by each way to TLS, with each mechanism that it has."""
    requester, content = ASKERS[name], message(name)
    send(restante.mx, "reader@alpha.example", content=content)
    before = postfix.mailbox.count()

    asked = requester.ask(restante, login, "alpha.example")

    assert asked.returncode == 0, asked.stdout
    postfix.wait_for(before + 1)
    assert arrived(postfix).count(content) == 1
    assert restante.events("authentication")[-1]["mechanism"] == requester.mechanism
    assert restante.events("release-requested")[-1]["answer"].startswith(
        "253 2.0.0 OK, 1 pending messages for node"
    )


@pytest.mark.parametrize("kind", [PostfixPrimary, EximPrimary])
def test_mail_arrives_as_it_was_sent(restante: Installation, kind: type[Primary]) -> None:
    """Octet for octet, except for our Received field. The primary is off, then on, and asks."""
    domain = f"{kind.__name__.lower()}.example"
    with kind([domain]) as primary:
        login = restante.hosts(domain, at(primary))
        for content in DIFFICULT:
            send(restante.mx, f"reader@{domain}", content=content)
        primary.start()

        assert curl_asks(restante.smtps, login, domain).returncode == 0
        raws = primary.wait_for(len(DIFFICULT))

        assert sorted(arrived(primary)) == sorted(DIFFICULT)
        for raw in raws:
            theirs, ours = [
                field for field in fields_above(raw, MARKER) if field.startswith(b"Received:")
            ]
            assert HOSTNAME.encode() in theirs
            assert f"by {HOSTNAME} with ESMTP id".encode() in ours
            assert f"for <reader@{domain}>".encode() in ours


def test_fetchmail_stops_at_a_251_and_goes_on_after_a_250(
    restante: Installation, postfix: Primary, login: Login
) -> None:
    """Nothing held is 251, after which fetchmail skips its other domains. A login may get 250."""
    targets = ("mail.alpha.example", "second.example")
    content = message("behind a domain without mail")
    send(restante.mx, "reader@second.example", content=content)
    asked_before = len(restante.events("release-requested"))

    assert fetchmail_asks(restante.smtps, login, *targets).returncode == 0
    assert restante.held("second.example") == 1
    restante.do("account", "set", "alpha", "--empty-reply", "250")
    assert fetchmail_asks(restante.smtps, login, *targets).returncode == 0

    eventually(
        lambda: content in arrived(postfix), what="the message behind the domain without mail"
    )
    requests = restante.events("release-requested")[asked_before:]
    assert [request["answer"][:3] for request in requests] == ["251", "250", "253"]


def test_one_request_may_name_more_than_one_domain(
    restante: Installation, postfix: Primary, login: Login
) -> None:
    """`@domain` is it and its subdomains; `#account` is all of the account's (RFC 1985 §5.2)."""
    contents = {domain: message(f"by one request for {domain}") for domain in postfix.domains}
    for domain, content in contents.items():
        send(restante.mx, f"reader@{domain}", content=content)
    before = postfix.mailbox.count()

    assert msmtp_asks(restante.smtps, login, "@alpha.example").returncode == 0
    postfix.wait_for(before + 2)
    assert restante.events("release-requested")[-1]["answer"].startswith(
        "253 2.0.0 OK, 2 pending messages"
    )
    assert {domain for domain in contents if contents[domain] in arrived(postfix)} == {
        *postfix.domains[:2]
    }

    assert msmtp_asks(restante.smtps, login, "#alpha").returncode == 0
    postfix.wait_for(before + 3)
    assert contents["second.example"] in arrived(postfix)


def test_the_operator_may_ask_in_the_primarys_place(
    restante: Installation, postfix: Primary, login: Login
) -> None:
    """`restante release` sends to the same destination, and is recorded with its reason."""
    content = message("released by the operator")
    send(restante.mx, "reader@alpha.example", content=content)

    restante.do("release", "alpha.example", "--reason", "they called")
    eventually(lambda: content in arrived(postfix), what="the message")
    entry = restante.shown("audit", "--limit", "1")[0]
    assert (entry["actor"], entry["subject"], entry["account"]) == (
        OPERATOR,
        "alpha.example",
        "alpha",
    )
    assert "they called" in entry["reason"]
