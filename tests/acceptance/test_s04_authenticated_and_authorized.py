"""S4: mail moves only for a valid login, an authorized host and a domain of that account."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest

from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.askers import curl_asks, fetchmail_asks, msmtp_asks
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.server import Login
from tests.acceptance.sample import message, send
from tests.acceptance.session import Session
from tests.acceptance.tripwire import Tripwire

AUTHENTICATION_REQUIRED: Final = "530 5.7.0"
NOT_ALLOWED: Final = "459 4.7.1"
ELSEWHERE: Final = "127.0.0.9"  # nobody's authorized host

# Exit codes after a refusal: of the clients (`peers/askers.py`), and ours (sysexits).
CURL_REFUSED, CURL_LOGIN_DENIED = 8, 67
FETCHMAIL_NOT_ALLOWED, FETCHMAIL_NO_LOGIN = 3, 4
MSMTP_NOT_ALLOWED, MSMTP_LOGIN_DENIED = 69, 77
RESTANTE_NOT_ALLOWED = 77


@pytest.fixture(scope="module")
def tripwire() -> Iterator[Tripwire]:
    """The primary of both domains."""
    with Tripwire("127.0.0.1") as tripwire:
        yield tripwire


@pytest.fixture(scope="module")
def login(restante: Installation, tripwire: Tripwire) -> Login:
    """The login that may ask for alpha.example, which holds mail. beta.example is another's."""
    restante.hosts("beta.example", at(tripwire), account="beta")
    login = restante.hosts("alpha.example", at(tripwire))
    send(
        restante.mx,
        "reader@alpha.example",
        "reader@beta.example",
        content=message("wanted by everybody"),
    )
    return login


@pytest.fixture(autouse=True)
def _nothing_moves(tripwire: Tripwire) -> Iterator[None]:
    """No test touches the tripwire."""
    yield
    assert tripwire.connections() == 0


def test_without_a_login_nothing_moves(restante: Installation, login: Login) -> None:
    """TLS alone proves nothing of the requester."""
    for server in (restante.smtps, restante.starttls):
        asked = curl_asks(server, None, "alpha.example")
        assert (asked.returncode, AUTHENTICATION_REQUIRED in asked.stdout) == (CURL_REFUSED, True)


def test_with_a_wrong_password_nothing_moves(restante: Installation, login: Login) -> None:
    """Neither for clients that stop after the 535, nor for fetchmail, which still sends ETRN.

    Each failure is answered later than the one before, so two must do.
    """
    wrong = replace(login, password="guessed")
    asked = fetchmail_asks(restante.smtps, wrong, "alpha.example")

    assert asked.returncode == FETCHMAIL_NO_LOGIN
    assert "535 5.7.8" in asked.stdout
    assert AUTHENTICATION_REQUIRED in asked.stdout
    assert restante.etrn("alpha.example", login=wrong).returncode == RESTANTE_NOT_ALLOWED


def test_from_a_host_that_is_not_authorized_nothing_moves(
    restante: Installation, login: Login
) -> None:
    """Though the password is right."""
    asked = curl_asks(restante.smtps, login, "alpha.example", "--interface", ELSEWHERE)

    assert asked.returncode == CURL_REFUSED
    assert f"{NOT_ALLOWED} Node alpha.example not allowed" in asked.stdout
    [entry] = restante.shown("audit", "--account", "alpha", "--limit", "1")
    assert entry["acted_from"] == ELSEWHERE
    assert entry["reason"] == "host not authorized for alpha.example"


def test_for_a_domain_of_another_account_nothing_moves(
    restante: Installation, login: Login
) -> None:
    """Each program says so with its own exit code, on which a cron job or a script can rely."""
    assert fetchmail_asks(restante.smtps, login, "beta.example").returncode == FETCHMAIL_NOT_ALLOWED
    assert curl_asks(restante.smtps, login, "beta.example").returncode == CURL_REFUSED
    assert msmtp_asks(restante.smtps, login, "beta.example").returncode == MSMTP_NOT_ALLOWED
    assert restante.etrn("beta.example", login=login).returncode == RESTANTE_NOT_ALLOWED


def test_a_login_ends_at_once(restante: Installation, login: Login) -> None:
    """A changed password counts in new sessions, and in one authenticated before the change."""
    with Session(restante.smtps) as session:
        assert session.authenticate(login).startswith(b"235")
        restante.do("login", "set", "alpha", "alpha", "--password-stdin", typed="quite another")

        assert session.say("ETRN alpha.example").startswith(NOT_ALLOWED.encode())
        assert curl_asks(restante.smtps, login, "alpha.example").returncode == CURL_LOGIN_DENIED
    restante.do("login", "set", "alpha", "alpha", "--password-stdin", typed=login.password)


def test_a_removed_login_is_like_one_that_never_was(restante: Installation, login: Login) -> None:
    """An account may have several; the others are not touched."""
    leaver = Login("leaver", "the password of somebody who left")
    restante.do("login", "add", "alpha", leaver.user, "--password-stdin", typed=leaver.password)
    restante.do("login", "remove", "alpha", leaver.user, "--reason", "left")

    asked = msmtp_asks(restante.starttls, leaver, "alpha.example", mechanism="cram-md5")
    assert asked.returncode == MSMTP_LOGIN_DENIED


def test_all_of_it_together_moves_the_mail(restante: Installation, login: Login) -> None:
    """The counterpart: a request in which everything is right trips the tripwire."""
    with Tripwire("127.0.0.1") as destination:
        restante.hosts("own.example", at(destination))
        send(restante.mx, "reader@own.example", content=message("wanted by its owner"))

        assert curl_asks(restante.smtps, login, "own.example").returncode == 0
        assert eventually(destination.connections, what="a connection to the destination")
