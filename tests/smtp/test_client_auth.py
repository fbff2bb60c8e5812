"""AUTH towards destinations: the next mechanism where a refusal may concern this one alone."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import replace
from typing import Final

import pytest

from restante.smtp.client_auth import SCRAM, ClientLogin
from restante.tenancy.model import TlsUse
from tests.smtp.client_talk import ClientTalk, mail

LOGIN: Final = ClientLogin("mx2", "secret")
PLAIN: Final = "C: AUTH PLAIN AG14MgBzZWNyZXQ="
ASKS_LOGIN: Final = "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: bXgy\nS: 334 UGFzc3dvcmQ6\nC: c2VjcmV0"
ENTERED: Final = f"{ASKS_LOGIN}\nS: 235 welcome\nC: MAIL FROM:<a@a.example>"
FIRST: Final = f"C: AUTH SCRAM-SHA-256 {base64.b64encode(b'n,,n=mx2,r=nonce').decode()}"
TO_TLS: Final = """
    S: 220 p.example
    C: EHLO mx2.example.net
    S: 250-p.example
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 go
    T:
    C: EHLO mx2.example.net
"""


def talk(mechanisms: str, script: str, login: ClientLogin | None = None) -> ClientTalk:
    """Play a session with a server that offers those mechanisms."""
    login = login or replace(LOGIN, useless=set(), unanswered=Counter())
    session = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=login)
    session.transcript(TO_TLS, f"S: 250-p.example\nS: 250 AUTH {mechanisms}", script)
    return session


@pytest.mark.parametrize(
    ("mechanisms", "refused"),
    [
        ("PLAIN LOGIN", f"{PLAIN}\nS: 504 5.5.4 Unrecognized authentication type"),
        ("PLAIN LOGIN", f"{PLAIN}\nS: 534 5.7.9 too weak"),
        ("PLAIN LOGIN", f"{PLAIN}\nS: 334 more\nC: *\nS: 501 cancelled"),
        ("CRAM-MD5 LOGIN", "C: AUTH CRAM-MD5\nS: 535 5.7.8 no database"),
        ("CRAM-MD5 LOGIN", "C: AUTH CRAM-MD5\nS: 454 4.7.0 no database now"),
        ("CRAM-MD5 LOGIN", "C: AUTH CRAM-MD5\nS: 334 !!!\nC: *\nS: 501 5.7.0 cancelled"),
        ("SCRAM-SHA-256 LOGIN", f"{FIRST}\nS: 334 !!!\nC: *\nS: 501 5.7.0 cancelled"),
    ],
)
def test_a_refused_mechanism_is_followed_by_the_next_and_remembered(
    mechanisms: str, refused: str
) -> None:
    login = replace(LOGIN, useless=set(), unanswered=Counter())
    talk(mechanisms, f"{refused}\n{ENTERED}", login)
    talk(mechanisms, ENTERED, login)


@pytest.mark.parametrize("refusal", ["535 5.7.8 wrong", "454 4.7.0 not now", "500 5.5.2 what"])
def test_a_refused_password_is_not_sent_a_second_time(refusal: str) -> None:
    session = talk("PLAIN LOGIN", f"{PLAIN}\nS: {refusal}")
    assert session.ending.reason == f"AUTH: {refusal}"


def test_the_last_mechanism_says_why_it_could_not_be_used() -> None:
    cancelled = "C: AUTH CRAM-MD5\nS: 334 !!!\nC: *\nS: 501 5.7.0 cancelled"
    session = talk("CRAM-MD5", cancelled)
    assert session.ending.reason == "AUTH: CRAM-MD5 has a challenge that is not base64"
    once_more = f"{ASKS_LOGIN}\nS: 334 c2VjcmV0\nC: *\nS: 501 cancelled"
    session = talk("LOGIN", once_more)
    reason = "AUTH: LOGIN was answered, and a further challenge came"
    assert session.ending.reason == reason


def test_a_mechanism_that_was_left_unanswered_twice_in_a_row_is_not_the_next() -> None:
    login = replace(LOGIN, useless=set(), unanswered=Counter())
    offered = {"PLAIN", SCRAM}
    assert login.choose(offered) == SCRAM
    login.unanswered[SCRAM] = 1
    assert login.choose(offered) == SCRAM
    login.unanswered[SCRAM] = 2
    assert login.choose(offered) == "PLAIN"
    login.unanswered["PLAIN"] = 2
    assert login.choose(offered) == SCRAM, "it begins again"
    assert not login.unanswered


def test_the_only_mechanism_is_used_again() -> None:
    login = replace(LOGIN, useless=set(), unanswered=Counter({SCRAM: 5}))
    assert login.choose({SCRAM}) == SCRAM
    assert login.choose(set()) is None
