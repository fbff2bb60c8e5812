"""S8 by hand: AUTH (RFC 4954 §4) cancelled, malformed, and refused without a hint."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.loopback import addresses
from tests.acceptance.peers.askers import curl_asks, fetchmail_asks, msmtp_asks
from tests.acceptance.peers.server import Login
from tests.acceptance.session import Session, plain_response

AWAY: Final = "127.0.0.1:9"
REFUSED: Final = b"535 5.7.8 Authentication credentials invalid\r\n"
CANCELLED: Final = b"501 5.7.0 Authentication cancelled\r\n"
FETCHMAIL_REFUSED: Final = 4  # exit codes
CURL_LOGIN_DENIED: Final = 67
MSMTP_AUTH_FAILED: Final = 77


@pytest.fixture(scope="module")
def login(restante: Installation) -> Login:
    """The login of the account of alpha.example, who may ask from anywhere on this machine."""
    return restante.hosts("alpha.example", AWAY, allow=["127.0.0.0/8"])


@pytest.fixture
def session(restante: Installation) -> Iterator[Session]:
    """A session under TLS, from an address whose failures nobody else has to wait for."""
    with Session(restante.smtps, source=addresses(1)[0]) as session:
        yield session


def encoded(text: str) -> str:
    """Return a response as on the wire."""
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
def test_an_exchange_may_be_cancelled_and_begun_again(
    session: Session, login: Login, mechanism: str
) -> None:
    """A lone `*` ends it; the session is where it was."""
    assert session.say(f"AUTH {mechanism}").startswith(b"334 ")
    assert session.say("*") == CANCELLED
    assert session.say("ETRN alpha.example").startswith(b"530 ")
    assert session.authenticate(login).startswith(b"235 2.7.0 ")
    assert session.say(f"AUTH {mechanism}").startswith(b"503 ")


@pytest.mark.parametrize(
    "exchange",
    [
        ["AUTH PLAIN ="],
        ["AUTH PLAIN !!!not-base64!!!"],
        [f"AUTH PLAIN {encoded('no NUL at all')}"],
        [
            f"AUTH PLAIN {encoded('beta' + chr(0) + 'alpha' + chr(0) + 'the-alpha-password')}"
        ],  # to act for another
        [
            f"AUTH CRAM-MD5 {encoded('alpha 0123456789abcdef0123456789abcdef')}"
        ],  # the client never speaks first
        ["AUTH CRAM-MD5", encoded("no digest")],
        ["AUTH CRAM-MD5", "***"],
        ["AUTH LOGIN", ""],
        ["AUTH LOGIN", encoded("a" + chr(0) + "b")],
        [
            f"AUTH SCRAM-SHA-256 {encoded('p=tls-exporter,,n=alpha,r=abc')}"
        ],  # bound to the channel, which is not offered
        [f"AUTH SCRAM-SHA-256 {encoded('n,a=beta,n=alpha,r=abc')}"],
        [
            "AUTH SCRAM-SHA-256",
            encoded("n,,n=alpha,r=abc"),
            encoded("c=biws,r=abc,p=" + 43 * "A" + "="),
        ],
        ["AUTH SCRAM-SHA-256-PLUS"],
        ["AUTH GSSAPI"],
        ["AUTH"],
        ["AUTH PLAIN", "x" * 13_000],
    ],
)
def test_a_malformed_response_is_an_error_and_not_a_login(
    session: Session, login: Login, exchange: list[str]
) -> None:
    """5xx, and the session goes on; nothing of it is taken for a command later."""
    *challenged, last = [session.say(line) for line in exchange]
    assert all(reply.startswith(b"334 ") for reply in challenged)
    assert last.startswith((b"500 5.5", b"501 5.5", b"504 5.5"))
    assert session.say("ETRN alpha.example").startswith(b"530 ")
    assert session.authenticate(login).startswith(b"235 ")


def test_a_refusal_does_not_say_why(restante: Installation, login: Login) -> None:
    """A wrong password, an unknown name and a name without CRAM-MD5 get the same replies."""
    hashed = Login("hashed", "only a hash of this is kept")
    restante.do(
        "login",
        "add",
        "alpha",
        hashed.user,
        "--password-stdin",
        "--no-cram-md5",
        typed=hashed.password,
    )
    wrong = replace(login, password="not the password")
    unknown = replace(login, user="nobody-of-this-name")
    digest = "0123456789abcdef0123456789abcdef"
    answers = []
    for who, source in zip(
        (wrong, unknown, replace(hashed, password="wrong")), addresses(3), strict=True
    ):
        with Session(restante.starttls, source=source) as session:
            answers.append(session.authenticate(who))
            answers.append(
                session.say("AUTH CRAM-MD5")[:4] + session.say(encoded(f"{who.user} {digest}"))
            )
        with Session(restante.starttls, source=source) as session:  # the third failure ends one
            answers.append(scram_refusal(session, who.user))
    assert answers == [REFUSED, b"334 " + REFUSED, b"16 octets, 15000, " + REFUSED] * 3
    with Session(restante.smtps) as session:
        assert session.authenticate(hashed).startswith(b"235 ")


def scram_refusal(session: Session, user: str) -> bytes:
    """Return what a client sees of a wrong proof: length of the salt, iterations, and the reply."""
    challenge = base64.b64decode(
        session.say(f"AUTH SCRAM-SHA-256 {encoded(f'n,,n={user},r=abc')}")[4:]
    ).decode()
    nonce, salt, iterations = challenge.split(",", 2)
    reply = session.say(encoded(f"c=biws,{nonce},p={base64.b64encode(bytes(32)).decode()}"))
    return b"%d octets, %b, %b" % (len(base64.b64decode(salt[2:])), iterations[2:].encode(), reply)


def test_the_askers_say_that_a_password_is_wrong(restante: Installation, login: Login) -> None:
    """fetchmail asks anyway and gets 530; no client falls back to plain text."""
    wrong = replace(login, password="not the password")
    asked = [
        fetchmail_asks(restante.smtps, wrong, "alpha.example"),
        curl_asks(restante.starttls, wrong, "alpha.example", "--interface", addresses(1)[0]),
        msmtp_asks(restante.starttls, wrong, "alpha.example", mechanism="cram-md5"),
    ]
    assert [ended.returncode for ended in asked] == [
        FETCHMAIL_REFUSED,
        CURL_LOGIN_DENIED,
        MSMTP_AUTH_FAILED,
    ]
    assert all("535 5.7.8" in ended.stdout for ended in asked)
    assert not restante.events("release-requested", actor="login alpha")


def test_no_password_lies_in_a_file(restante: Installation, login: Login) -> None:
    """Neither plain nor in base64, in the store, its journal, the log or any other file."""
    secrets = [
        login.password.encode(),
        plain_response(login).encode(),
        base64.b64encode(login.password.encode()),
    ]
    files = [file for file in restante.directory.rglob("*") if file.is_file()]
    assert any(login.user.encode() in file.read_bytes() for file in files)
    for file in files:
        assert not any(secret in file.read_bytes() for secret in secrets), file
