"""Lines of dialogues without secrets: each way to send one, and whole AUTH exchanges."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.sasl.auth_login import AuthLogin
from restante.sasl.cram_md5 import CramMd5
from restante.sasl.mechanism import SaslMechanism
from restante.sasl.plain import PlainExchange
from restante.smtp import replies
from restante.smtp.limits import SmtpLimits
from restante.smtp.masked_dialogue import MOST_SHOWN, masked_command, masked_reply
from restante.smtp.server_options import ServerOptions
from restante.smtp.server_session import ServerSession

PASSWORD = "correct-horse-battery"
B64 = base64.b64encode(PASSWORD.encode()).decode()
PLAIN = base64.b64encode(f"\0alice\0{PASSWORD}".encode()).decode()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("EHLO client.example", "EHLO client.example"),
        ("MAIL FROM:<a@a.example> SIZE=100", "MAIL FROM:<a@a.example> SIZE=100"),
        ("BDAT 86 LAST", "BDAT 86 LAST"),
        ("noop", "noop"),
        ("", ""),
        ("AUTH", "AUTH"),
        ("AUTH LOGIN", "AUTH LOGIN"),
        ("AUTH EXTERNAL =", "AUTH EXTERNAL ="),
        (f"AUTH PLAIN {PLAIN}", "AUTH PLAIN (secret, 40 octets)"),
        (f"auth plain {PLAIN} more", "AUTH PLAIN (secret, 45 octets)"),
        (f"AUTH\tPLAIN\t{PLAIN}", "AUTH PLAIN (secret, 40 octets)"),
        (f"AUTH=PLAIN {PLAIN}", "AUTH (secret, 47 octets)"),
        (f" AUTH PLAIN {PLAIN}", "AUTH PLAIN (secret, 40 octets)"),
        (f"A\0UTH PLAIN {PLAIN}", "AUTH (secret, 51 octets)"),
        (f"AUTH {B64}", "AUTH (secret, 29 octets)"),
        (B64, "(unknown command, 28 octets)"),
        (PASSWORD, "(unknown command, 21 octets)"),
        (f"correct horse {PASSWORD}", "(unknown command, 35 octets)"),
        (f" {PASSWORD} and more", "(unknown command, 31 octets)"),
        (f"data {PASSWORD}", "data (hidden, 22 octets)"),
        (f"mail {PASSWORD}", "mail (hidden, 22 octets)"),
        *(
            (f"{verb} {PASSWORD}", f"{verb} (hidden, 22 octets)")
            for verb in ("NOOP", "help", "VRFY", "EXPN")
        ),
        (f"ehlo my {PASSWORD}", "ehlo (hidden, 25 octets)"),
        (f"Etrn is {PASSWORD}", "Etrn (hidden, 25 octets)"),
        (f"mail from {PASSWORD}", "mail (hidden, 27 octets)"),
        (f"RCPT to my {PASSWORD}", "RCPT (hidden, 28 octets)"),
        ("RCPT TO : <a@a.example>", "RCPT TO : <a@a.example>"),
        ("EHLO", "EHLO"),
        ("ETRN @acme.example", "ETRN @acme.example"),
        (f"PASS {PASSWORD}", "PASS (hidden, 22 octets)"),
        (f"a1 LOGIN alice {PASSWORD}", "(unknown command, 36 octets)"),
        (f"LOGIN alice {PASSWORD}", "LOGIN (hidden, 28 octets)"),
        (f"Authorization: Basic {B64}", "AUTH (secret, 45 octets)"),
        ("GET / HTTP/1.1", "GET (hidden, 11 octets)"),
        ("MAIL FROM <a@a.example>", "MAIL FROM <a@a.example>"),
        ("RCPT TO:<>", "RCPT TO:<>"),
        ("DATA ", "DATA "),
        ("\x16\x03\x01 ok", "(TLS where none is expected, 6 octets)"),
        ("MAIL FROM:<\x1b[2J@a.example>", "MAIL FROM:<\\x1b[2J@a.example>"),
    ],
)
def test_a_line_of_the_client(line: str, shown: str | None) -> None:
    found = masked_command(line.encode())
    assert PASSWORD not in found
    assert B64 not in found
    assert PLAIN not in found
    if shown is not None:
        assert found == shown


def test_a_line_of_an_exchange_is_never_shown() -> None:
    assert masked_command(B64.encode(), is_authenticating=True) == "(secret, 28 octets)"
    assert masked_command(b"MAIL FROM:<>", is_authenticating=True) == "(secret, 12 octets)"
    assert masked_command(b"*", is_authenticating=True) == "*"


def test_a_long_line_is_cut_and_its_length_is_told() -> None:
    found = masked_command(b"RCPT TO:<" + b"x" * 600 + b">")
    assert len(found) < MOST_SHOWN + 20
    assert found.endswith("… (610 octets)")


def test_octets_that_are_no_text_are_escaped() -> None:
    assert masked_command(b"EHLO \x16\x03\xffok") == "EHLO \\x16\\x03\\xffok"
    assert masked_command("RCPT TO:<jürgen@b.example>".encode()) == "RCPT TO:<jürgen@b.example>"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"250-SIZE 1", "250-SIZE 1"),
        (b"334 ", "334"),
        (b"334 PDEyMz4=", "334 (challenge, 8 octets)"),
        (b"235 2.7.0 OK", "235 2.7.0 OK"),
    ],
)
def test_a_line_of_ours(line: bytes, shown: str) -> None:
    assert masked_reply(line) == shown


@given(st.binary(max_size=400))
def test_every_line_is_printable(line: bytes) -> None:
    assert masked_command(line).isprintable()
    assert masked_reply(line).isprintable()


class Transcript:
    """Observes a session as a trace does."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.content = 0

    def heard_line(self, line: bytes, *, is_authenticating: bool) -> None:
        self.lines.append(f"C: {masked_command(line, is_authenticating=is_authenticating)}")

    def heard_content(self, octets: int) -> None:
        self.content += octets

    def said(self, replies: bytes) -> None:
        found = replies.split(b"\r\n")[:-1]
        self.lines += [f"S: {masked_reply(line)}" for line in found if not line.startswith(b"250-")]


def told(
    said: list[bytes], mechanism: str, made: Callable[[], SaslMechanism] | None = None
) -> list[str]:
    """Return what a trace has of a session after EHLO; each piece is answered well."""
    mechanisms = {mechanism: made} if made else {}
    options = ServerOptions("mx2.example.net", SmtpLimits(), mechanisms, can_start_tls=False)
    session = ServerSession(options, has_tls=True)
    session.receive_data(b"EHLO c.example\r\n")
    while session.next_event():
        pass
    session.data_to_send()
    seen = Transcript()
    session.be_observed(seen)
    for piece in said:
        session.receive_data(piece)
        while session.next_event() is not None:
            if session.awaits_answer:
                session.reply(replies.OK)
        session.data_to_send()
    return [*seen.lines, f"content: {seen.content}"]


def test_auth_login_line_by_line() -> None:
    assert told(
        [b"AUTH LOGIN\r\n", b"YWxpY2U=\r\n", f"{B64}\r\n".encode()], "LOGIN", AuthLogin
    ) == [
        "C: AUTH LOGIN",
        "S: 334 (challenge, 12 octets)",
        "C: (secret, 8 octets)",
        "S: 334 (challenge, 12 octets)",
        "C: (secret, 28 octets)",
        "S: 250 2.0.0 OK",
        "content: 0",
    ]


def test_auth_plain_without_an_initial_response() -> None:
    assert told([b"AUTH PLAIN\r\n", f"{PLAIN}\r\n".encode()], "PLAIN", PlainExchange) == [
        "C: AUTH PLAIN",
        "S: 334",
        "C: (secret, 40 octets)",
        "S: 250 2.0.0 OK",
        "content: 0",
    ]


def test_a_login_that_goes_on_after_its_refusal() -> None:
    found = told([b"AUTH LOGIN\r\nYWxpY2U=\r\n", f"{B64}\r\n".encode()], "none")
    assert [line for line in found if line.startswith("C:")] == [
        "C: AUTH LOGIN",
        "C: (unknown command, 8 octets)",
        "C: (unknown command, 28 octets)",
    ]


def test_a_passphrase_after_a_refused_auth() -> None:
    found = told([b"AUTH LOGIN\r\n", b"correct horse battery\r\n"], "none")
    assert [line for line in found if line.startswith("C:")] == [
        "C: AUTH LOGIN",
        "C: (unknown command, 21 octets)",
    ]


def test_a_line_that_is_too_long_is_masked_too() -> None:
    said = [b"AUTH PLAIN " + b"x" * 20_000 + b"\r\n"]
    found = told(said, "PLAIN", PlainExchange)
    assert found[0].startswith("C: AUTH PLAIN (secret, ")
    assert "xxx" not in str(found)
    again = told([b"AUTH PLAIN\r\n", b"x" * 20_000 + b"\r\n"], "PLAIN", PlainExchange)
    assert "xxx" not in str(again)


def test_content_is_a_number_of_octets() -> None:
    said = [
        b"MAIL FROM:<a@a.example>\r\n",
        b"RCPT TO:<b@b.example>\r\n",
        b"BDAT 8 LAST\r\nsecret\r\n",
        b"MAIL FROM:<a@a.example>\r\n",
        b"RCPT TO:<b@b.example>\r\n",
        b"DATA\r\n",
        b"secret\r\n.\r\nQUIT\r\n",
    ]
    found = told(said, "none")
    assert "secret" not in str(found)
    assert found[-2:] == ["S: 221 2.0.0 mx2.example.net closing connection", "content: 19"]
    refused = told([b"BDAT 8\r\nsecret\r\n"], "none")
    assert (refused[0], refused[-1]) == ("C: BDAT 8", "content: 8")


def test_cram_md5_hides_the_challenge_and_the_proof() -> None:
    proof = base64.b64encode(b"alice 0123456789abcdef0123456789abcdef")
    found = told(
        [b"AUTH CRAM-MD5\r\n", proof + b"\r\n"],
        "CRAM-MD5",
        lambda: CramMd5(b"<123@mx2.example.net>"),
    )
    assert [line.partition(", ")[0] for line in found[:3]] == [
        "C: AUTH CRAM-MD5",
        "S: 334 (challenge",
        "C: (secret",
    ]
