"""The beginning of a client session: EHLO, STARTTLS, AUTH, and the three rules that no server can talk us out of."""

import base64

import pytest

from restante.sasl.cram_md5 import digest
from restante.smtp.client_auth import ClientLogin
from restante.smtp.client_events import Ending
from restante.smtp.errors import PeerBroke
from restante.tenancy.model import TlsUse
from tests.smtp.client_talk import ClientTalk, mail

LOGIN = ClientLogin("mx2", "secret")
TO_TLS = """
    S: 220 p.example
    C: EHLO mx2.example.net
    S: 250-p.example
    S: 250-AUTH PLAIN
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 go ahead
    T:
    C: EHLO mx2.example.net
"""
PLAIN_RESPONSE = base64.b64encode(b"\0mx2\0secret").decode()


@pytest.mark.parametrize("greeting", ["554 5.7.1 not you", "450 later", "421 too many connections"])
def test_an_unkind_greeting_ends_the_session(greeting: str) -> None:
    talk = ClientTalk(mail(1)).transcript(f"S: {greeting}")
    assert greeting in talk.ending.reason
    assert talk.ending.ending is (Ending.BUSY if greeting.startswith("421") else Ending.REFUSED)
    assert talk.outstanding == []


def test_a_server_without_ehlo_is_greeted_with_helo() -> None:
    ClientTalk(mail(1)).transcript("""
        S: 220-p.example
        S: 220 speaks SMTP
        C: EHLO mx2.example.net
        S: 502 5.5.1 what?
        C: HELO mx2.example.net
        S: 250 p.example
        C: MAIL FROM:<a@a.example>
    """)


@pytest.mark.parametrize("script", ["S: 451 later", "S: 500 what?\nC: HELO mx2.example.net\nS: 550 no"])
def test_a_server_that_will_not_be_greeted_is_left(script: str) -> None:
    talk = ClientTalk(mail(1)).transcript("S: 220 p.example\nC: EHLO mx2.example.net", script)
    assert talk.ending.ending is Ending.REFUSED


def test_a_server_that_calls_itself_as_we_do_is_ourselves() -> None:
    talk = ClientTalk(mail(1)).transcript("S: 220 p\nC: EHLO mx2.example.net\nS: 250 MX2.example.net at your service")
    assert "it is this server" in talk.ending.reason


@pytest.mark.parametrize("tls", [TlsUse.OPPORTUNISTIC, TlsUse.REQUIRED, TlsUse.VERIFY])
def test_starttls_is_used_where_offered_and_all_is_asked_again(tls: TlsUse) -> None:
    """What was offered before TLS counts for nothing (RFC 3207 §4.2): here PIPELINING is gone."""
    talk = ClientTalk(mail(1), tls=tls).transcript("""
        S: 220 p.example
        C: EHLO mx2.example.net
        S: 250-p.example
        S: 250-PIPELINING
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go ahead
        T:
        C: EHLO mx2.example.net
        S: 250 p.example
        C: MAIL FROM:<a@a.example>
    """)
    assert not talk.session.offer.has_pipelining


def test_an_offer_from_before_tls_is_forgotten_even_where_no_other_comes() -> None:
    talk = ClientTalk(mail(1), tls=TlsUse.OPPORTUNISTIC).transcript("""
        S: 220 p.example
        C: EHLO mx2.example.net
        S: 250-p.example
        S: 250-PIPELINING
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go ahead
        T:
        C: EHLO mx2.example.net
        S: 500 what?
        C: HELO mx2.example.net
        S: 250 p.example
        C: MAIL FROM:<a@a.example>
    """)
    assert not talk.session.offer.has_pipelining


def test_off_is_off() -> None:
    ClientTalk(mail(1), tls=TlsUse.OFF).transcript("""
        S: 220 p.example
        C: EHLO mx2.example.net
        S: 250-p.example
        S: 250 STARTTLS
        C: MAIL FROM:<a@a.example>
    """)


REFUSALS = ["S: 250 p.example", "S: 250-p.example\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 4.7.0 no certificate"]


@pytest.mark.parametrize("script", REFUSALS)
def test_opportunistic_goes_on_without_tls(script: str) -> None:
    start = "S: 220 p.example\nC: EHLO mx2.example.net"
    ClientTalk(mail(1), tls=TlsUse.OPPORTUNISTIC).transcript(start, script, "C: MAIL FROM:<a@a.example>")


@pytest.mark.parametrize("tls", [TlsUse.REQUIRED, TlsUse.VERIFY])
@pytest.mark.parametrize("script", REFUSALS)
def test_required_does_not(script: str, tls: TlsUse) -> None:
    start = "S: 220 p.example\nC: EHLO mx2.example.net"
    talk = ClientTalk(mail(1), tls=tls).transcript(start, script)
    assert talk.ending.reason.startswith("TLS is required: ")


def test_bytes_behind_the_reply_to_starttls_are_an_attack() -> None:
    """They would be taken for replies under TLS, where somebody before it has put them."""
    talk = ClientTalk(mail(1), tls=TlsUse.OPPORTUNISTIC)
    start = "S: 220 p\nC: EHLO mx2.example.net\nS: 250-p\nS: 250 STARTTLS\nC: STARTTLS\n"
    with pytest.raises(PeerBroke):
        talk.transcript(start, "S: 220 go\nS: 250 injected")


def test_a_login_is_used_under_tls_at_once() -> None:
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=LOGIN)
    talk.transcript(
        TO_TLS,
        f"""
        S: 250-p.example
        S: 250 AUTH CRAM-MD5 PLAIN
        C: AUTH PLAIN {PLAIN_RESPONSE}
        S: 235 2.7.0 welcome
        C: MAIL FROM:<a@a.example>
        """,
    )


def test_cram_md5_is_used_where_plain_is_not_offered() -> None:
    challenge = b"<1.2@p.example>"
    answer = base64.b64encode(f"mx2 {digest('secret', challenge)}".encode()).decode()
    ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=LOGIN).transcript(
        TO_TLS,
        f"""
        S: 250-p.example
        S: 250 AUTH=CRAM-MD5 LOGIN
        C: AUTH CRAM-MD5
        S: 334 {base64.b64encode(challenge).decode()}
        C: {answer}
        S: 235 welcome
        C: MAIL FROM:<a@a.example>
        """,
    )


def test_login_is_used_where_nothing_else_is_offered() -> None:
    """Whatever the words of the prompts: servers have many."""
    ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=LOGIN).transcript(
        TO_TLS,
        f"""
        S: 250-p.example
        S: 250 AUTH LOGIN
        C: AUTH LOGIN
        S: 334 {base64.b64encode(b"User Name").decode()}
        C: {base64.b64encode(b"mx2").decode()}
        S: 334 UGFzc3dvcmQ6
        C: {base64.b64encode(b"secret").decode()}
        S: 235 welcome
        C: MAIL FROM:<a@a.example>
        """,
    )


def test_a_long_password_waits_to_be_asked_for() -> None:
    long = ClientLogin("mx2", "p" * 400)
    response = base64.b64encode(b"\0mx2\0" + b"p" * 400).decode()
    ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=long).transcript(
        TO_TLS,
        f"""
        S: 250-p.example
        S: 250 AUTH PLAIN
        C: AUTH PLAIN
        S: 334
        C: {response}
        S: 235 welcome
        C: MAIL FROM:<a@a.example>
        """,
    )


def test_no_password_is_sent_without_tls() -> None:
    for tls in (TlsUse.OFF, TlsUse.OPPORTUNISTIC):
        talk = ClientTalk(mail(1), tls=tls, login=LOGIN)
        talk.transcript("S: 220 p\nC: EHLO mx2.example.net\nS: 250-p\nS: 250 AUTH PLAIN")
        assert "no password without it" in talk.ending.reason


@pytest.mark.parametrize(
    ("offer", "script", "reason"),
    [
        ("AUTH GSSAPI", "", "none of AUTH PLAIN, CRAM-MD5 and LOGIN"),
        ("AUTH PLAIN", f"C: AUTH PLAIN {PLAIN_RESPONSE}\nS: 535 5.7.8 wrong", "AUTH: 535 5.7.8 wrong"),
    ],
)
def test_without_authentication_there_is_no_session(offer: str, script: str, reason: str) -> None:
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=LOGIN)
    talk.transcript(TO_TLS, f"S: 250-p.example\nS: 250 {offer}", script)
    assert reason in talk.ending.reason


@pytest.mark.parametrize(
    "repeated", [f"AUTH PLAIN {PLAIN_RESPONSE}", f"AUTH PLAIN {PLAIN_RESPONSE[:12]}...", LOGIN.password, "c2VjcmV0"]
)
def test_a_server_that_repeats_our_password_does_not_get_it_into_the_log(repeated: str) -> None:
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=LOGIN)
    script = f"C: AUTH PLAIN {PLAIN_RESPONSE}\nS: 500 5.5.2 not understood: {repeated}"
    talk.transcript(TO_TLS, "S: 250-p.example\nS: 250 AUTH PLAIN", script)
    assert talk.ending.reason == "AUTH: 500 5.5.2"


@pytest.mark.parametrize(
    ("offer", "script"),
    [
        ("AUTH PLAIN", f"C: AUTH PLAIN {PLAIN_RESPONSE}\nS: 334 more"),
        ("AUTH CRAM-MD5", "C: AUTH CRAM-MD5\nS: 334 !!!"),
        ("AUTH LOGIN", "C: AUTH LOGIN\nS: 334 a\nC: bXgy\nS: 334 b\nC: c2VjcmV0\nS: 334 c"),
        ("AUTH PLAIN", f"C: AUTH PLAIN {PLAIN_RESPONSE}\nS: 250 fine"),
    ],
)
def test_an_exchange_out_of_step_voids_the_session(offer: str, script: str) -> None:
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=LOGIN)
    with pytest.raises(PeerBroke):
        talk.transcript(TO_TLS, f"S: 250-p.example\nS: 250 {offer}", script)


def test_the_password_does_not_show_in_a_traceback() -> None:
    assert "secret" not in repr(LOGIN)
