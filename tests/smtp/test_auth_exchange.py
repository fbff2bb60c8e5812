"""AUTH at the server: exchanges of each mechanism, and every way to get one wrong."""

import base64
from typing import Final

import pytest

from restante.smtp import replies
from restante.smtp.server_events import (
    Authenticate,
)
from tests.smtp.conversation import Conversation


def encoded(message: bytes) -> str:
    return base64.b64encode(message).decode()


SCRAM: Final = {
    "first": encoded(b"n,,n=alice,r=CLIENT"),
    "challenge": encoded(b"r=CLIENTSERVER,s=c2FsdA==,i=1"),
    "final": encoded(b"c=biws,r=CLIENTSERVER,p=" + base64.b64encode(bytes(32))),
    "last_word": encoded(b"v=proof"),
}


class TestAuth:
    def test_plain_with_initial_response(self) -> None:
        talk = Conversation(has_tls=True).greet()
        talk.transcript(
            "C: AUTH PLAIN AGFsaWNlAHNlY3JldA==\nS: 235 2.7.0 Authentication successful"
        )
        assert isinstance(talk.events[-1], Authenticate)
        assert talk.session.is_authenticated

    def test_plain_without_initial_response(self) -> None:
        Conversation(has_tls=True).greet().transcript(
            """
            C: auth plain
            S: 334 {nothing}
            C: AGFsaWNlAHNlY3JldA==
            S: 235 2.7.0 Authentication successful
            C: AUTH PLAIN
            S: 503 5.5.1 Already authenticated
        """,
            nothing="",
        )

    def test_cram_md5(self) -> None:
        talk = Conversation(has_tls=True).greet()
        talk.transcript("""
            C: AUTH CRAM-MD5
            S: 334 PDEuMkBteDIuZXhhbXBsZS5uZXQ+
            C: YWxpY2UgMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=
            S: 235 2.7.0 Authentication successful
        """)

    def test_scram_ends_when_the_client_has_taken_our_proof(self) -> None:
        talk = Conversation(has_tls=True).greet()
        talk.last_word = b"v=proof"
        talk.transcript(
            """
            C: AUTH SCRAM-SHA-256
            S: 334 {nothing}
            C: {first}
            S: 334 {challenge}
            C: {final}
            S: 334 {last_word}
            C: {nothing}
            S: 235 2.7.0 Authentication successful
            C: AUTH PLAIN
            S: 503 5.5.1 Already authenticated
        """,
            nothing="",
            **SCRAM,
        )
        assert talk.session.is_authenticated

    @pytest.mark.parametrize(
        ("line", "answer"),
        [
            ("*", "501 5.7.0 Authentication cancelled"),  # the client does not believe our proof
            ("MAIL FROM:<>", "501 5.5.4 Syntax error in arguments"),
            ("QUFB", "501 5.5.4 Syntax error in arguments"),
        ],
    )
    def test_nobody_is_let_in_who_does_not_take_our_proof(self, line: str, answer: str) -> None:
        talk = Conversation(has_tls=True).greet()
        talk.last_word = b"v=proof"
        talk.send(
            b"AUTH SCRAM-SHA-256 %b\r\n%b\r\n" % (SCRAM["first"].encode(), SCRAM["final"].encode())
        )
        assert talk.session.data_to_send().endswith(b"\r\n334 dj1wcm9vZg==\r\n")
        talk.transcript(
            "C: {line}\nS: {answer}\nC: NOOP\nS: 250 2.0.0 OK", line=line, answer=answer
        )
        assert not talk.session.is_authenticated

    def test_a_wrong_proof_is_refused_at_once(self) -> None:
        talk = Conversation(has_tls=True).greet()
        talk.last_word = b"v=proof"
        talk.answers[Authenticate] = replies.BAD_CREDENTIALS
        talk.transcript(
            """
            C: AUTH SCRAM-SHA-256 {first}
            S: 334 {challenge}
            C: {final}
            S: 535 5.7.8 Authentication credentials invalid
            C: NOOP
            S: 250 2.0.0 OK
        """,
            **SCRAM,
        )

    @pytest.mark.parametrize(
        ("opening", "response", "answer"),
        [
            ("AUTH PLAIN", "*", "501 5.7.0 Authentication cancelled"),
            ("AUTH SCRAM-SHA-256", "*", "501 5.7.0 Authentication cancelled"),
            ("AUTH SCRAM-SHA-256", "", "501 5.5.4 Syntax error in arguments"),
            ("AUTH SCRAM-SHA-256", "AGFsaWNl", "501 5.5.4 Syntax error in arguments"),
            ("AUTH CRAM-MD5", "*", "501 5.7.0 Authentication cancelled"),
            ("AUTH PLAIN", "not base64!", "501 5.5.2 Cannot decode response"),
            ("AUTH PLAIN", "AGFsaWNl", "501 5.5.4 Syntax error in arguments"),
            ("AUTH PLAIN", "", "501 5.5.4 Syntax error in arguments"),
            ("AUTH CRAM-MD5", "AGFsaWNl", "501 5.5.4 Syntax error in arguments"),
        ],
    )
    def test_an_exchange_that_fails(self, opening: str, response: str, answer: str) -> None:
        talk = Conversation(has_tls=True).greet()
        talk.send(f"{opening}\r\n".encode())
        talk.session.data_to_send()
        talk.transcript(
            "C: {response}\nS: {answer}\nC: NOOP\nS: 250 2.0.0 OK", response=response, answer=answer
        )
        assert not talk.session.is_authenticated

    @pytest.mark.parametrize(
        ("line", "answer"),
        [
            ("AUTH GSSAPI", "504 5.5.4 Unrecognized authentication mechanism"),
            ("AUTH GSSAPI !no-base64", "504 5.5.4 Unrecognized authentication mechanism"),
            ("AUTH XOAUTH2 one two", "504 5.5.4 Unrecognized authentication mechanism"),
            ("AUTH b\u00fccher", "504 5.5.4 Unrecognized authentication mechanism"),
            ("AUTH PLAIN ====", "501 5.5.2 Cannot decode response"),
            ("AUTH PLAIN =", "501 5.5.4 Syntax error in arguments"),
            ("AUTH CRAM-MD5 AGFsaWNl", "501 5.5.4 Syntax error in arguments"),
            ("AUTH PLAIN Ym9iAGFsaWNlAHNlY3JldA==", "501 5.5.4 Syntax error in arguments"),
        ],
    )
    def test_openings_that_fail(self, line: str, answer: str) -> None:
        Conversation(has_tls=True).greet().transcript(
            "C: {line}\nS: {answer}", line=line, answer=answer
        )

    def test_a_refusal_can_be_tried_again(self) -> None:
        talk = Conversation(has_tls=True).greet()
        talk.answers[Authenticate] = replies.BAD_CREDENTIALS
        talk.transcript(
            "C: AUTH PLAIN AGFsaWNlAHNlY3JldA==\nS: 535 5.7.8 Authentication credentials invalid"
        )
        talk.answers[Authenticate] = replies.AUTHENTICATED
        talk.transcript(
            "C: AUTH PLAIN AGFsaWNlAHNlY3JldA==\nS: 235 2.7.0 Authentication successful"
        )

    def test_not_inside_a_transaction(self) -> None:
        Conversation(has_tls=True).begin().transcript(
            "C: AUTH PLAIN AGFsaWNlAHNlY3JldA==\nS: 503 5.5.1 Bad sequence of commands"
        )

    def test_a_long_response_is_taken_and_one_too_long_is_not(self) -> None:
        talk = Conversation(has_tls=True).greet()
        talk.send(b"AUTH PLAIN\r\n" + b"A" * 11000 + b"\r\n")
        assert talk.session.data_to_send().endswith(b"501 5.5.4 Syntax error in arguments\r\n")
        talk.send(b"AUTH PLAIN\r\n" + b"A" * 20000 + b"\r\n")
        assert talk.session.data_to_send().endswith(
            b"500 5.5.6 Authentication exchange line is too long\r\n"
        )
