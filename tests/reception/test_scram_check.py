"""SCRAM-SHA-256 on the wire: the right proof gets in, and nobody learns which logins exist."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from restante.reception.scram_check import ScramCheck
from restante.sasl import scram_keys
from restante.sasl.mechanism import ScramCredentials
from restante.sasl.scram_client import ScramClient
from restante.sasl.scram_keys import Salting, new_verifier, salted_password
from restante.telemetry.events import AuthenticationEnded
from restante.tenancy.sealed_secrets import Vault, verifier_owner
from tests.wire import PASSWORD, Wire, audit

NONCE: Final = "fyko+d2lbbFgONRv9qkxdawL"
ACCEPTED: Final = b"235 2.7.0 Authentication successful\r\n"
REFUSED: Final = b"535 5.7.8 Authentication credentials invalid\r\n"


@pytest.fixture
def smtp() -> Iterator[Wire]:
    smtp = Wire()
    smtp.hosts("a.example", holding=1)
    yield smtp
    smtp.close()


def change(smtp: Wire, user: str, **fields: bytes | None) -> None:
    """Change what is kept of a login."""
    login = replace(smtp.directory.now.logins[user], **fields)  # type: ignore[arg-type]
    smtp.run(smtp.store.records.put_login(login, audit()))
    smtp.run(smtp.directory.refresh())


def seal_verifier(
    smtp: Wire, user: str, vault: Vault | None = None, password: str = PASSWORD
) -> bytes:
    return (vault or smtp.vault).seal(new_verifier(password).text, verifier_owner(user))


class Exchange:
    """A client on the wire."""

    def __init__(self, smtp: Wire, user: str, password: str = PASSWORD) -> None:
        self._smtp = smtp
        self._password = password
        self._client = ScramClient(user, NONCE)

    def begin(self) -> Salting:
        """Return the server's facts about the user."""
        challenge = self._say(f"AUTH SCRAM-SHA-256 {self._encoded(self._client.first())}")
        return self._client.take_server_first(self._decoded(challenge))

    def prove(self, salting: Salting) -> bytes:
        """Return the reply to our proof."""
        return self._say(
            self._encoded(self._client.final(salted_password(self._password, salting)))
        )

    def end(self, reply: bytes) -> bytes:
        """Take the server's proof, and return its last reply."""
        self._client.take_server_final(self._decoded(reply))
        return self._say("")

    def _say(self, line: str) -> bytes:
        self._smtp.send(f"{line}\r\n".encode())
        return self._smtp.session.data_to_send()

    def _encoded(self, message: bytes) -> str:
        return base64.b64encode(message).decode()

    def _decoded(self, reply: bytes) -> bytes:
        assert reply.startswith(b"334 ")
        return base64.b64decode(reply[4:], validate=False)


def authenticates(smtp: Wire, user: str, password: str = PASSWORD) -> bytes:
    exchange = Exchange(smtp, user, password)
    reply = exchange.prove(exchange.begin())
    return exchange.end(reply) if reply.startswith(b"334 ") else reply


@pytest.mark.parametrize("kept", ["the sealed password", "a verifier", "both"])
def test_a_login_gets_in_by_what_is_kept_of_it(smtp: Wire, kept: str) -> None:
    if kept != "the sealed password":
        change(smtp, "alpha", sealed_verifier=seal_verifier(smtp, "alpha"))
    if kept == "a verifier":
        change(smtp, "alpha", sealed_secret=None)
    assert authenticates(smtp, "alpha", "wrong") == REFUSED
    assert authenticates(smtp, "alpha") == ACCEPTED
    smtp.transcript(
        "C: ETRN a.example\nS: 253 2.0.0 OK, 1 pending messages for node a.example started"
    )
    lines = smtp.log.of(AuthenticationEnded)
    assert [(line["mechanism"], line["login"], line["result"]) for line in lines] == [
        ("SCRAM-SHA-256", "alpha", "refused"),
        ("SCRAM-SHA-256", "alpha", "accepted"),
    ]


def test_nobody_is_logged_in_before_the_server_has_proved_itself(smtp: Wire) -> None:
    """Neither the session nor what it may release."""
    exchange = Exchange(smtp, "alpha")
    assert exchange.prove(exchange.begin()).startswith(b"334 ")
    assert smtp.dialogue.login is None
    smtp.transcript("""
        C: *
        S: 501 5.7.0 Authentication cancelled
        C: ETRN a.example
        S: 530 5.7.0 Authentication required
    """)
    assert smtp.drains.started == []


@pytest.mark.parametrize(
    "kept", ["nothing", "a hash only", "sealed under another key", "a verifier"]
)
def test_a_refusal_tells_nobody_which_logins_there_are(smtp: Wire, kept: str) -> None:
    """The salt is as long as any, and stays the same."""
    if kept != "nothing":
        other = Vault(b"\1" * 32) if kept == "sealed under another key" else None
        verifier = None if kept == "a hash only" else seal_verifier(smtp, "alpha", other)
        change(smtp, "alpha", sealed_secret=None, sealed_verifier=verifier)
    user = "nobody" if kept == "nothing" else "alpha"
    exchange = Exchange(smtp, user, "wrong" if kept == "a verifier" else PASSWORD)
    salting = exchange.begin()
    assert exchange.prove(salting) == REFUSED
    assert (len(salting.salt), salting.iterations) == (
        scram_keys.SALT_OCTETS,
        scram_keys.ITERATIONS,
    )
    smtp.restart()
    assert Exchange(smtp, user).begin() == salting
    smtp.restart()
    assert Exchange(smtp, f"{user}2").begin() != salting


def test_a_made_up_salt_depends_on_the_key_file_alone() -> None:
    """It is the same on each node and after each restart, and unknown to those without the key."""
    one, same, other = (
        ScramCheck(Vault(key)).salting("nobody", None) for key in (b"a" * 32, b"a" * 32, b"b" * 32)
    )
    assert one == same != other


def test_a_refusal_derives_keys_once_whatever_is_kept(
    smtp: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the time tells nothing either."""
    verifier = seal_verifier(smtp, "alpha")
    login = smtp.directory.now.logins["alpha"]
    check = ScramCheck(smtp.vault)
    derived: list[int] = []
    monkeypatch.setattr(
        scram_keys, "salted_password", lambda _password, salting: noted(derived, salting.iterations)
    )
    credentials = ScramCredentials("alpha", b"message", bytes(32))
    for kept in (
        None,
        login,
        replace(login, sealed_secret=None),
        replace(login, sealed_verifier=verifier),
    ):
        derived.clear()
        assert check.signature(credentials, kept) is None
        assert derived == [scram_keys.ITERATIONS]


def noted(derived: list[int], iterations: int) -> bytes:
    derived.append(iterations)
    return bytes(32)
