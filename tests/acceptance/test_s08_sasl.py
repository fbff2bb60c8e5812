"""S8: PLAIN, LOGIN, CRAM-MD5 and SCRAM-SHA-256, by real programs, and only once TLS is up."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.peers.askers import curl_asks, msmtp_asks
from tests.acceptance.peers.senders import swaks_authenticates
from tests.acceptance.peers.server import Login, Server, Tls
from tests.acceptance.session import Session, plain_response

AWAY: Final = "127.0.0.1:9"
AUTH_FAILED: Final = 28  # exit code of swaks
CURL_REFUSED: Final = 8
MSMTP_NOT_OFFERED: Final = 69


@pytest.fixture(scope="module")
def login(restante: Installation) -> Login:
    """The login of the account of alpha.example."""
    return restante.hosts("alpha.example", AWAY)


@pytest.fixture
def secure(restante: Installation) -> list[Server]:
    """Both ways to TLS."""
    return [restante.starttls, restante.smtps]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_each_mechanism_works_under_tls(
    restante: Installation, secure: list[Server], login: Login, mechanism: str
) -> None:
    """By STARTTLS and by implicit TLS."""
    for server in secure:
        authenticated = swaks_authenticates(server, login, mechanism=mechanism)
        assert authenticated.returncode == 0, authenticated.stdout
        assert "235 2.7.0" in authenticated.stdout
        assert restante.events("authentication")[-1]["mechanism"] == mechanism


def test_scram_works_under_tls(restante: Installation, secure: list[Server], login: Login) -> None:
    """With msmtp, which has it of GNU SASL: it checks our proof, and asks then."""
    for server in secure:
        asked = msmtp_asks(server, login, "alpha.example", mechanism="scram-sha-256")
        assert asked.returncode == 0, asked.stdout
        said = restante.events("authentication")[-1]
        assert (said["mechanism"], said["result"]) == ("SCRAM-SHA-256", "accepted")


def test_programs_send_no_password_on_a_bare_line(restante: Installation, login: Login) -> None:
    """AUTH is not offered there, so a client that would use it under TLS does not even try."""
    secrets = (login.password, plain_response(login))
    bare = restante.mx
    said = [
        swaks_authenticates(bare, login, mechanism="PLAIN"),
        swaks_authenticates(bare, login, mechanism="CRAM-MD5"),
        curl_asks(bare, login, "alpha.example"),
        msmtp_asks(replace(bare, tls=Tls.NONE), login, "alpha.example"),
    ]

    assert [ended.returncode for ended in said] == [
        AUTH_FAILED,
        AUTH_FAILED,
        CURL_REFUSED,
        MSMTP_NOT_OFFERED,
    ]
    for ended in said:
        assert not any(secret in ended.stdout for secret in secrets)
        assert "AUTH PLAIN" not in ended.stdout
        assert "AUTH CRAM-MD5" not in ended.stdout


def test_a_password_on_a_bare_line_is_refused(restante: Installation, login: Login) -> None:
    """Right or wrong: nobody on the line learns from the answer whether it was."""
    with Session(restante.mx) as session:
        answers = {session.authenticate(each) for each in (login, replace(login, password="wrong"))}
        answers |= {session.say("AUTH CRAM-MD5"), session.say("AUTH PLAIN")}
        asked = session.say("ETRN alpha.example")

    assert answers == {b"538 5.7.11 Encryption required for requested authentication mechanism\r\n"}
    assert asked.startswith(b"530 ")


def test_the_offered_mechanisms(restante: Installation, secure: list[Server]) -> None:
    """Nothing on the bare line, and these under TLS."""
    with Session(restante.mx) as bare:
        assert b"AUTH" not in bare.offer
    for server in secure:
        with Session(server) as session:
            assert b"250-AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256\r\n" in session.offer


def test_a_login_may_do_without_a_recoverable_password(
    restante: Installation, login: Login
) -> None:
    """Then CRAM-MD5 fails for it as a wrong password does, and PLAIN and SCRAM work."""
    careful = Login("careful", "of which only a hash is kept")
    restante.do(
        "login",
        "add",
        "alpha",
        careful.user,
        "--password-stdin",
        "--no-cram-md5",
        typed=careful.password,
    )

    assert swaks_authenticates(restante.smtps, careful, mechanism="PLAIN").returncode == 0
    assert (
        swaks_authenticates(restante.smtps, careful, mechanism="CRAM-MD5").returncode == AUTH_FAILED
    )
    assert (
        msmtp_asks(restante.smtps, careful, "alpha.example", mechanism="scram-sha-256").returncode
        == 0
    )


def test_during_a_rotation_programs_use_either_password_and_the_use_is_shown(
    restante: Installation, login: Login
) -> None:
    old = Login("rotating", "the password before")
    restante.do("login", "add", "alpha", old.user, "--password-stdin", typed=old.password)
    new = Login(old.user, restante.do("login", "set", "alpha", old.user, "--rotate").strip())
    for one in (old, new):
        for mechanism in ("PLAIN", "CRAM-MD5"):
            done = swaks_authenticates(restante.smtps, one, mechanism=mechanism)
            assert done.returncode == 0
    restante.do("login", "set", "alpha", old.user, "--end-rotation")
    assert swaks_authenticates(restante.smtps, old, mechanism="PLAIN").returncode == AUTH_FAILED
    restante.stop()
    restante.start()
    shown = restante.shown("login", "show", "alpha", old.user)
    assert (shown["last_used_from"], shown["last_used_mechanism"]) == ("127.0.0.1", "CRAM-MD5")
