"""AUTH towards destinations: the next mechanism where a refusal may concern this one alone."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import replace
from typing import Final

import pytest

from restante.sasl.cram_md5 import digest
from restante.smtp.client_auth import SCRAM, ClientLogin
from restante.tenancy.model import TlsUse
from tests.smtp.client_talk import ClientTalk, mail

LOGIN: Final = ClientLogin("mx2", "secret")
PLAIN: Final = "C: AUTH PLAIN AG14MgBzZWNyZXQ="
ASKS_LOGIN: Final = "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: bXgy\nS: 334 UGFzc3dvcmQ6\nC: c2VjcmV0"
ENTERED: Final = f"{ASKS_LOGIN}\nS: 235 welcome\nC: MAIL FROM:<a@a.example>"
CHALLENGE: Final = base64.b64encode(b"<1@p.example>").decode()
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


def answer(password: str) -> str:
    """Return the response of CRAM-MD5."""
    return base64.b64encode(f"mx2 {digest(password, b'<1@p.example>')}".encode()).decode()


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


TYPED: Final = "\u2168 a\u0308"
PREPARED: Final = "IX \u00e4"


def plain(password: str) -> str:
    return f"C: AUTH PLAIN {base64.b64encode(f'{chr(0)}mx2{chr(0)}{password}'.encode()).decode()}"


def test_a_refused_password_is_sent_in_its_prepared_form_which_is_remembered() -> None:
    login = ClientLogin("mx2", TYPED)
    entered = f"{plain(PREPARED)}\nS: 235 welcome\nC: MAIL FROM:<a@a.example>"
    talk("PLAIN", f"{plain(TYPED)}\nS: 535 5.7.8 wrong\n{entered}", login)
    talk("PLAIN", entered, login)


def test_a_password_refused_in_both_forms_is_sent_as_typed_in_the_next_session() -> None:
    login = ClientLogin("mx2", TYPED)
    for _ in range(2):
        refused = f"{plain(TYPED)}\nS: 535 5.7.8 wrong\n{plain(PREPARED)}\nS: 535 5.7.8 no"
        assert talk("PLAIN", refused, login).ending.reason == "AUTH: 535 5.7.8 no"


@pytest.mark.parametrize("refusal", ["454 4.7.0 not now", "530 5.7.0 no", "535 5.7.8 {}"])
def test_another_refusal_or_a_reply_with_a_secret_shows_none(refusal: str) -> None:
    login = ClientLogin("mx2", TYPED, useless={"the password as typed"})
    said = refusal.format(f"{PREPARED} is wrong")
    session = talk("PLAIN", f"{plain(PREPARED)}\nS: {said}", login)
    assert "IX" not in session.ending.reason


def test_cram_md5_has_both_forms_too() -> None:
    login = ClientLogin("mx2", TYPED)
    script = "\n".join(
        f"C: AUTH CRAM-MD5\nS: 334 {CHALLENGE}\nC: {answer(form)}\nS: {reply}"
        for form, reply in ((TYPED, "535 5.7.8 wrong"), (PREPARED, "235 welcome"))
    )
    talk("CRAM-MD5", f"{script}\nC: MAIL FROM:<a@a.example>", login)


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
