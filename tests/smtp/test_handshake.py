"""The start of a client session: EHLO, STARTTLS, AUTH, and three rules no server can change."""

import base64
from collections import Counter
from dataclasses import replace

import pytest

from restante.sasl.cram_md5 import digest
from restante.sasl.scram_keys import Salting, client_proof, salted_password, server_signature
from restante.sasl.scram_messages import server_final
from restante.smtp.client_auth import ClientLogin
from restante.smtp.client_events import SaltPassword, SessionEnding
from restante.smtp.client_session import ClientSession
from restante.smtp.handshake import ClientOptions
from restante.smtp.protocol_errors import PeerBroke
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


def encoded(message: bytes) -> str:
    return base64.b64encode(message).decode()


def fresh(login: ClientLogin) -> ClientLogin:
    """A login of which nothing is known at the server."""
    return replace(login, useless=set(), unanswered=Counter())


# An exchange by SCRAM up to our proof, and the answer of the server to it.
SALTING = Salting(b"salt", 7)
_SERVER_FIRST = b"r=noncesome,s=c2FsdA==,i=7"
_SALTED = salted_password("secret", SALTING)
_BARE = b"c=biws,r=noncesome"
_AUTH_MESSAGE = b",".join((b"n=mx2,r=nonce", _SERVER_FIRST, _BARE))
SCRAM_FINAL = _BARE + b",p=" + base64.b64encode(client_proof(_SALTED, _AUTH_MESSAGE))
SCRAM_SIGNATURE = encoded(server_final(server_signature(_SALTED, _AUTH_MESSAGE)))
SCRAM_CHALLENGE = f"334 {encoded(_SERVER_FIRST)}"
SCRAM_FIRST = f"C: AUTH SCRAM-SHA-256 {encoded(b'n,,n=mx2,r=nonce')}"
SCRAM = f"{SCRAM_FIRST}\nS: {SCRAM_CHALLENGE}\nC: {encoded(SCRAM_FINAL)}"
PLAIN_RESPONSE = base64.b64encode(b"\0mx2\0secret").decode()


@pytest.mark.parametrize("greeting", ["554 5.7.1 not you", "450 later", "421 too many connections"])
def test_an_unkind_greeting_ends_the_session(greeting: str) -> None:
    talk = ClientTalk(mail(1)).transcript(f"S: {greeting}")
    assert greeting in talk.ending.reason
    assert talk.ending.ending is (
        SessionEnding.BUSY if greeting.startswith("421") else SessionEnding.REFUSED
    )
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


@pytest.mark.parametrize(
    "script", ["S: 451 later", "S: 500 what?\nC: HELO mx2.example.net\nS: 550 no"]
)
def test_a_server_that_will_not_be_greeted_is_left(script: str) -> None:
    talk = ClientTalk(mail(1)).transcript("S: 220 p.example\nC: EHLO mx2.example.net", script)
    assert talk.ending.ending is SessionEnding.REFUSED


def test_a_server_that_calls_itself_as_we_do_is_ourselves() -> None:
    talk = ClientTalk(mail(1)).transcript(
        "S: 220 p\nC: EHLO mx2.example.net\nS: 250 MX2.example.net at your service"
    )
    assert "it is this server" in talk.ending.reason


@pytest.mark.parametrize("tls", [TlsUse.OPPORTUNISTIC, TlsUse.REQUIRED, TlsUse.VERIFY])
def test_starttls_is_used_where_offered_and_all_is_asked_again(tls: TlsUse) -> None:
    """The offer before TLS counts for nothing (RFC 3207 §4.2): here PIPELINING is missing after."""
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


REFUSALS = [
    "S: 250 p.example",
    "S: 250-p.example\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 4.7.0 no certificate",
]


@pytest.mark.parametrize("script", REFUSALS)
def test_opportunistic_goes_on_without_tls(script: str) -> None:
    start = "S: 220 p.example\nC: EHLO mx2.example.net"
    ClientTalk(mail(1), tls=TlsUse.OPPORTUNISTIC).transcript(
        start, script, "C: MAIL FROM:<a@a.example>"
    )


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
    """With any words in the prompts: servers have many."""
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


def test_scram_is_preferred_and_the_server_proves_itself() -> None:
    ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=LOGIN).transcript(
        TO_TLS,
        "S: 250-p.example\nS: 250 AUTH CRAM-MD5 PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-1",
        f"{SCRAM}\nS: 334 {SCRAM_SIGNATURE}\nC:\nS: 235 welcome\nC: MAIL FROM:<a@a.example>",
    )


def test_a_long_user_name_waits_to_be_asked_for() -> None:
    first = encoded(b"n,,n=" + b"u" * 400 + b",r=nonce")
    ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=ClientLogin("u" * 400, "secret")).transcript(
        TO_TLS,
        f"""
        S: 250-p.example
        S: 250 AUTH SCRAM-SHA-256
        C: AUTH SCRAM-SHA-256
        S: 334
        C: {first}
        """,
    )


@pytest.mark.parametrize(
    "ending",
    [
        "S: 235 welcome",  # without its proof
        f"S: 334 {SCRAM_SIGNATURE.swapcase()}",
        "S: 334 ZT1vdGhlci1lcnJvcg==",  # e=other-error
    ],
)
def test_a_server_that_does_not_prove_itself_is_left(ending: str) -> None:
    """It is told the password by no other mechanism."""
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=fresh(LOGIN))
    talk.transcript(
        TO_TLS, "S: 250-p.example\nS: 250 AUTH PLAIN SCRAM-SHA-256", f"{SCRAM}\n{ending}"
    )
    assert (
        talk.ending.reason
        == "AUTH SCRAM-SHA-256: the server did not prove that it knows the password"
    )
    assert talk.ending.ending is SessionEnding.REFUSED


@pytest.mark.parametrize(
    "refusal", ["535 5.7.8 no such user", "454 4.7.0 generic failure", "504 5.5.4 not really"]
)
def test_a_server_that_refuses_scram_is_tried_once_more_and_remembered(refusal: str) -> None:
    login = fresh(LOGIN)
    offer = "S: 250-p.example\nS: 250 AUTH PLAIN CRAM-MD5 SCRAM-SHA-256"
    plain = f"C: AUTH PLAIN {PLAIN_RESPONSE}\nS: 235 welcome\nC: MAIL FROM:<a@a.example>"
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=login)
    talk.transcript(TO_TLS, offer, f"{SCRAM}\nS: {refusal}", plain)
    ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=login).transcript(TO_TLS, offer, plain)


def test_a_second_refusal_is_the_last() -> None:
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=fresh(LOGIN))
    offer = "S: 250-p.example\nS: 250 AUTH PLAIN LOGIN SCRAM-SHA-256"
    plain = f"C: AUTH PLAIN {PLAIN_RESPONSE}\nS: 535 5.7.8 wrong"
    talk.transcript(TO_TLS, offer, f"{SCRAM}\nS: 535 5.7.8 wrong", plain)
    assert talk.ending.reason == "AUTH: 535 5.7.8 wrong"


def test_a_server_that_has_no_time_now_is_not_tried_once_more() -> None:
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=fresh(LOGIN))
    talk.transcript(
        TO_TLS, "S: 250-p\nS: 250 AUTH PLAIN SCRAM-SHA-256", f"{SCRAM}\nS: 421 4.3.2 bye"
    )
    assert talk.ending.ending is SessionEnding.BUSY


def test_scram_is_used_where_nothing_else_is_offered_though_it_was_refused() -> None:
    login = fresh(LOGIN)
    login.useless.add("SCRAM-SHA-256")
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=login)
    talk.transcript(TO_TLS, "S: 250-p.example\nS: 250 AUTH SCRAM-SHA-256", f"{SCRAM}\nS: 535 wrong")
    assert talk.ending.reason == "AUTH: 535 wrong"


@pytest.mark.parametrize(
    ("challenge", "reason"),
    [
        (
            b"r=nonces,s=c2FsdA==,i=1000001",
            "AUTH: SCRAM with 1000001 iterations; the limit is 1000000",
        ),
        (b"r=another,s=c2FsdA==,i=1", "AUTH: the SCRAM challenge does not match our message"),
        (b"", "AUTH: the SCRAM challenge cannot be read"),
    ],
)
def test_a_challenge_that_cannot_be_answered_is_cancelled(challenge: bytes, reason: str) -> None:
    script = f"{SCRAM_FIRST}\nS: 334 {encoded(challenge)}\nC: *\nS: 501 5.7.0 cancelled"
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=fresh(LOGIN))
    talk.transcript(TO_TLS, "S: 250-p.example\nS: 250 AUTH SCRAM-SHA-256", script)
    assert talk.ending.reason == reason
    other = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=fresh(LOGIN))
    other.transcript(
        TO_TLS,
        "S: 250-p.example\nS: 250 AUTH SCRAM-SHA-256 PLAIN",
        script,
        f"C: AUTH PLAIN {PLAIN_RESPONSE}",
    )


def test_quit_while_a_password_is_salted_is_said_when_it_can_be() -> None:
    session = ClientSession(
        ClientOptions("mx2.example.net", TlsUse.REQUIRED, LOGIN, new_nonce=lambda: "nonce")
    )
    for line in (
        "220 p",
        "250-p\r\n250 STARTTLS",
        "220 go",
        "",
        "250-p\r\n250 AUTH SCRAM-SHA-256",
        SCRAM_CHALLENGE,
    ):
        if line:
            session.receive_data(f"{line}\r\n".encode())
        else:
            session.tls_established()
        while (event := session.next_event()) is not None:
            last = event
        session.data_to_send()
    assert isinstance(last, SaltPassword)
    assert "secret" not in repr(last)
    session.quit()
    assert session.data_to_send() == b""
    session.password_salted(bytes(32))
    assert session.data_to_send() == b"QUIT\r\n"


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
        (
            "AUTH GSSAPI",
            "",
            "no AUTH mechanism that we know (SCRAM-SHA-256, PLAIN, CRAM-MD5, LOGIN)",
        ),
        (
            "AUTH PLAIN",
            f"C: AUTH PLAIN {PLAIN_RESPONSE}\nS: 535 5.7.8 wrong",
            "AUTH: 535 5.7.8 wrong",
        ),
    ],
)
def test_without_authentication_there_is_no_session(offer: str, script: str, reason: str) -> None:
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=LOGIN)
    talk.transcript(TO_TLS, f"S: 250-p.example\nS: 250 {offer}", script)
    assert reason in talk.ending.reason


@pytest.mark.parametrize(
    "repeated",
    [
        f"AUTH PLAIN {PLAIN_RESPONSE}",
        f"AUTH PLAIN {PLAIN_RESPONSE[:12]}...",
        LOGIN.password,
        "c2VjcmV0",
    ],
)
def test_a_server_that_repeats_our_password_does_not_get_it_into_the_log(repeated: str) -> None:
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=LOGIN)
    script = f"C: AUTH PLAIN {PLAIN_RESPONSE}\nS: 500 5.5.2 not understood: {repeated}"
    talk.transcript(TO_TLS, "S: 250-p.example\nS: 250 AUTH PLAIN", script)
    assert talk.ending.reason == "AUTH: 500 5.5.2"


@pytest.mark.parametrize(
    ("offer", "script", "repeated"),
    [
        ("CRAM-MD5", f"C: AUTH CRAM-MD5\nS: 334 {encoded(b'<1>')}\nC: {{response}}", "{response}"),
        ("CRAM-MD5", f"C: AUTH CRAM-MD5\nS: 334 {encoded(b'<1>')}\nC: {{response}}", "{digest}"),
        ("SCRAM-SHA-256", "{scram}", "{final}"),
        ("SCRAM-SHA-256", "{scram}", "{proof}"),
    ],
)
@pytest.mark.parametrize("length", [12, 1000])
def test_a_server_that_repeats_our_proof_does_not_get_it_into_the_log(
    offer: str, script: str, repeated: str, length: int
) -> None:
    """A password can be guessed by a proof. It may be cut short."""
    hexadecimal = digest("secret", b"<1>")
    values = {
        "digest": hexadecimal,
        "response": encoded(f"mx2 {hexadecimal}".encode()),
        "scram": SCRAM,
        "final": encoded(SCRAM_FINAL),
        "proof": SCRAM_FINAL.decode().rpartition("p=")[2],
    }
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=fresh(LOGIN))
    said = repeated.format_map(values)[:length]
    talk.transcript(
        TO_TLS,
        f"S: 250-p.example\nS: 250 AUTH {offer}",
        script.format_map(values),
        f"S: 500 5.5.2 not understood: {said}",
    )
    assert talk.ending.reason == "AUTH: 500 5.5.2"


@pytest.mark.parametrize(
    ("offer", "script"),
    [
        ("AUTH SCRAM-SHA-256", f"{SCRAM_FIRST}\nS: 334 eA==\nC: *\nS: 334 eA=="),
        ("AUTH PLAIN", f"C: AUTH PLAIN {PLAIN_RESPONSE}\nS: 250 fine"),
    ],
)
def test_an_exchange_out_of_step_voids_the_session(offer: str, script: str) -> None:
    talk = ClientTalk(mail(1), tls=TlsUse.REQUIRED, login=LOGIN)
    with pytest.raises(PeerBroke):
        talk.transcript(TO_TLS, f"S: 250-p.example\nS: 250 {offer}", script)


def test_the_password_does_not_show_in_a_traceback() -> None:
    assert "secret" not in repr(LOGIN)
