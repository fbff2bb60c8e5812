"""The server session by transcripts: every command, and every way to get it wrong."""

import pytest

from restante.mail.dsn_request import Notify, RecipientRequest, Ret
from restante.sasl.mechanism import CertificateCredentials
from restante.smtp import replies
from restante.smtp.commands import Atrn, Etrn, Mail, Rcpt, StartTls
from restante.smtp.limits import SmtpLimits
from restante.smtp.phases import Phase
from restante.smtp.server_events import (
    Authenticate,
    ChunkReceived,
    ContentReceived,
    TransactionAborted,
)
from restante.smtp.server_options import ServiceProfile
from restante.smtp.session_end import SessionEnd
from tests.smtp.conversation import Conversation


def test_a_whole_mail_transaction() -> None:
    talk = Conversation()
    talk.transcript("""
        S: 220 mx2.example.net ESMTP Restante
        C: EHLO client.example
        S: 250-mx2.example.net
        S: 250-PIPELINING
        S: 250-SIZE 52428800
        S: 250-8BITMIME
        S: 250-SMTPUTF8
        S: 250-CHUNKING
        S: 250-ENHANCEDSTATUSCODES
        S: 250-DSN
        S: 250-STARTTLS
        S: 250 HELP
        C: MAIL FROM:<a@a.example> SIZE=100 BODY=8BITMIME
        S: 250 2.1.0 OK
        C: RCPT TO:<b@b.example>
        S: 250 2.1.5 OK
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: Subject: x
        C:
        C: ..dotted
        C: .
        S: 250 2.0.0 OK
        C: QUIT
        S: 221 2.0.0 mx2.example.net closing connection
    """)
    assert talk.messages == [b"Subject: x\r\n\r\n.dotted\r\n"]
    assert talk.session.phase is Phase.CLOSED


def test_under_tls_auth_and_etrn_are_offered_and_starttls_is_not() -> None:
    Conversation(has_tls=True).transcript("""
        S: 220 mx2.example.net ESMTP Restante
        C: EHLO [192.0.2.1]
        S: 250-mx2.example.net
        S: 250-PIPELINING
        S: 250-SIZE 52428800
        S: 250-8BITMIME
        S: 250-SMTPUTF8
        S: 250-CHUNKING
        S: 250-ENHANCEDSTATUSCODES
        S: 250-DSN
        S: 250-AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256
        S: 250-ETRN
        S: 250 HELP
    """)


def test_helo_gets_one_line() -> None:
    Conversation().transcript("""
        S: 220 mx2.example.net ESMTP Restante
        C: HELO client.example
        S: 250 mx2.example.net
        C: MAIL FROM:<a@a.example>
        S: 250 2.1.0 OK
    """)


def test_commands_that_change_nothing_are_answered_anywhere() -> None:
    Conversation().begin().transcript("""
        C: NOOP with words
        S: 250 2.0.0 OK
        C: VRFY postmaster
        S: 252 2.5.2 Cannot verify, but will take mail for hosted domains
        C: EXPN list
        S: 502 5.5.1 Command not implemented
        C: TURN
        S: 502 5.5.1 Command not implemented
        C: HELP
        S: 214 2.0.0 Commands: EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP HELP VRFY ETRN QUIT
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
    """)  # noqa: E501  one line on the wire


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("FOO", "500 5.5.1 Command not recognized"),
        ("", "500 5.5.1 Command not recognized"),
        ("EHLO", "501 5.5.4 Say who you are: a domain or an address literal"),
        ("MAIL", "501 5.1.7 Bad reverse-path syntax"),
        ("MAIL FROM:a=b", "501 5.1.7 Bad reverse-path syntax"),
        ("MAIL FROM: SIZE=1", "501 5.1.7 Bad reverse-path syntax"),
        ("MAIL FROM:<a@a.example", "501 5.1.7 Bad reverse-path syntax"),
        ("MAIL FROM:a@a.example,b@a.example", "501 5.1.7 Bad reverse-path syntax"),
        ("MAIL FROM:<a@a.example> RET=FULL RET=FULL", "501 5.5.4 Syntax error in arguments"),
        ("MAIL FROM:<a@@a.example>", "501 5.1.7 Bad reverse-path syntax"),
        ("MAIL FROM:<a b@a.example>", "501 5.1.7 Bad reverse-path syntax"),
        ("MAIL FROM:<a@a.example> SIZE=x", "501 5.5.4 Syntax error in arguments"),
        ("MAIL FROM:<a@a.example>SIZE=1", "501 5.5.4 Syntax error in arguments"),
        ("MAIL FROM:<a@a.example> SMTPUTF8=yes", "501 5.5.4 Syntax error in arguments"),
        (
            "MAIL FROM:<a@a.example> BODY=BINARYMIME",
            "555 5.5.4 Parameter not recognized or not offered",
        ),
        ("MAIL FROM:<a@a.example> XYZ=1", "555 5.5.4 Parameter not recognized or not offered"),
        ("MAIL FROM:<a@a.example> SIZE=52428801", "552 5.3.4 Message exceeds the size limit"),
        ("RCPT TO:<b@b.example>", "503 5.5.1 Bad sequence of commands"),
        ("DATA", "503 5.5.1 Bad sequence of commands"),
        ("DATA now", "501 5.5.4 This command takes no argument"),
        ("BDAT 0 LAST", "503 5.5.1 Bad sequence of commands"),
        ("AUTH", "501 5.5.4 Syntax error in arguments"),
        ("AUTH PLAIN", "538 5.7.11 Encryption required for requested authentication mechanism"),
        ("ETRN b.example", "530 5.7.0 Must issue a STARTTLS command first"),
        ("STARTTLS now", "501 5.5.4 This command takes no argument"),
    ],
)
def test_each_mistake_gets_its_reply(line: str, answer: str) -> None:
    talk = Conversation().greet()
    talk.transcript("C: {line}\nS: {answer}", line=line, answer=answer)
    assert talk.session.error_count == 1


@pytest.mark.parametrize(
    "line", ["MAIL FROM:<a@a.example>", "RCPT TO:<b@b.example>", "DATA", "STARTTLS", "BDAT 0"]
)
def test_nothing_goes_before_a_greeting(line: str) -> None:
    Conversation().transcript(
        "S: 220 mx2.example.net ESMTP Restante\nC: {line}\nS: 503 5.5.1 Say EHLO or HELO first",
        line=line,
    )


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (r"NOOP\0\r\n", "500 5.5.2 Line has a character that no command may have"),
        (r"NOOP\x1b[2J\r\n", "500 5.5.2 Line has a character that no command may have"),
        (r"NOOP \xff\xfe\r\n", None),  # the argument of NOOP does not matter, but must be text
        (r"NOOP\n", "500 5.5.2 Line has a character that no command may have"),
        (r"NO\rOP\r\n", "500 5.5.2 Line has a character that no command may have"),
    ],
)
def test_octets_that_no_command_may_have(octets: str, answer: str | None) -> None:
    expected = answer or "500 5.5.2 Line has a character that no command may have"
    Conversation().greet().transcript(
        "C~ {octets}\nS: {answer}\nC: NOOP\nS: 250 2.0.0 OK", octets=octets, answer=expected
    )


def test_a_line_too_long_is_refused_once_and_forgotten() -> None:
    talk = Conversation().greet()
    for _ in range(100):
        talk.send(b"N" * 1000)
    assert talk.session.unread_octets < 4096
    talk.transcript("C~ \\r\\n\nS: 500 5.5.2 Line too long\nC: NOOP\nS: 250 2.0.0 OK")


def test_a_session_of_mistakes_only_is_ended() -> None:
    talk = Conversation(limits=SmtpLimits(errors=3)).greet()
    talk.transcript("""
        C: FOO
        S: 500 5.5.1 Command not recognized
        C: FOO
        S: 500 5.5.1 Command not recognized
        C: FOO
        S: 500 5.5.1 Command not recognized
        S: 421 4.7.0 mx2.example.net saw too many errors, closing connection
        C: NOOP
    """)


def test_nested_mail_is_refused_and_the_transaction_stays() -> None:
    Conversation().begin().transcript("""
        C: MAIL FROM:<c@c.example>
        S: 503 5.5.1 Bad sequence of commands
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
    """)


def test_a_request_for_reports_is_taken() -> None:
    """RFC 3461 §4, §5.1: a valid request does not change the replies."""
    talk = Conversation().greet()
    talk.transcript("""
        C: MAIL FROM:<a@a.example> RET=full ENVID=QQ+2B314
        S: 250 2.1.0 OK
        C: RCPT TO:<b@b.example> NOTIFY=Delay,success ORCPT=rfc822;B+3Db@b.example
        S: 250 2.1.5 OK
        C: RCPT TO:<c@b.example> NOTIFY=NEVER
        S: 250 2.1.5 OK
        C: RCPT TO:<d@b.example>
        S: 250 2.1.5 OK
    """)
    [mail] = [event for event in talk.events if isinstance(event, Mail)]
    assert (mail.ret, mail.envelope_id) == (Ret.FULL, "QQ+2B314")
    assert [event.request for event in talk.events if isinstance(event, Rcpt)] == [
        RecipientRequest(Notify.SUCCESS | Notify.DELAY, "rfc822;B+3Db@b.example"),
        RecipientRequest(Notify.NEVER),
        None,
    ]


@pytest.mark.parametrize(
    "parameters",
    [
        "RET",
        "RET=",
        "RET=SOME",
        "RET=FULL RET=FULL",
        "ENVID",
        "ENVID=a+b",
        "ENVID=a+0",
        "ENVID=a+2b",  # hexchar has upper-case digits
        "ENVID=a+0A",  # a line end would end a line of the report
        "ENVID=\u00fc",
        f"ENVID={'x' * 101}",
        "ENVID=a ENVID=a",
    ],
)
def test_mail_with_what_cannot_be_asked_is_a_syntax_error(parameters: str) -> None:
    talk = Conversation().greet()
    talk.transcript(
        f"C: MAIL FROM:<a@a.example> {parameters}\nS: 501 5.5.4 Syntax error in arguments"
    )


@pytest.mark.parametrize(
    "parameters",
    [
        "NOTIFY",
        "NOTIFY=SOMETIMES",
        "NOTIFY=NEVER,SUCCESS",
        "NOTIFY=SUCCESS,",
        "NOTIFY=SUCCESS NOTIFY=DELAY",
        "ORCPT",
        "ORCPT=b@b.example",
        "ORCPT=;b@b.example",
        "ORCPT=rf(c);b@b.example",
        "ORCPT=rfc822;b+b",
        "ORCPT=rfc822;b+0D",
        "ORCPT=rfc822;b\u00fc@b.example",
        f"ORCPT=rfc822;{'x' * 494}",
        "ORCPT=rfc822;b ORCPT=rfc822;b",
    ],
)
def test_rcpt_with_what_cannot_be_asked_is_a_syntax_error(parameters: str) -> None:
    talk = Conversation().begin()
    talk.transcript(
        f"C: RCPT TO:<c@b.example> {parameters}\nS: 501 5.5.4 Syntax error in arguments"
    )


def test_an_original_recipient_in_utf_8_is_kept_in_ascii() -> None:
    """RFC 6533 §3: so it can be passed on to any server and stand in any report."""
    talk = Conversation().begin()
    talk.transcript("C: RCPT TO:<c@b.example> ORCPT=UTF-8;\u00fc\u5927@b.example\nS: 250 2.1.5 OK")
    [*_, rcpt] = [event for event in talk.events if isinstance(event, Rcpt)]
    assert rcpt.request == RecipientRequest(None, "UTF-8;\\x{FC}\\x{5927}@b.example")


@pytest.mark.parametrize("command", ["RSET", "EHLO again.example", "QUIT"])
def test_a_transaction_is_aborted_by(command: str) -> None:
    talk = Conversation().begin()
    talk.send(f"{command}\r\n".encode())
    assert TransactionAborted() in talk.events


def test_vanishing_in_mid_content_leaves_no_message() -> None:
    talk = Conversation().begin()
    talk.send(b"DATA\r\nhalf a mess")
    talk.session.close()
    assert talk.messages == []
    assert talk.session.next_event() is None


def test_too_many_recipients_are_put_off_not_refused() -> None:
    talk = Conversation(limits=SmtpLimits(recipients=2)).begin()
    talk.transcript("""
        C: RCPT TO:<c@b.example>
        S: 250 2.1.5 OK
        C: RCPT TO:<d@b.example>
        S: 452 4.5.3 Too many recipients
    """)
    assert talk.session.error_count == 0


def test_content_over_the_limit_is_read_to_its_end_and_refused() -> None:
    talk = Conversation(limits=SmtpLimits(message_octets=100)).begin()
    talk.transcript("C: DATA\nS: 354 End data with <CR><LF>.<CR><LF>")
    for _ in range(50):
        talk.send(b"0123456789\r\n")
    assert TransactionAborted() in talk.events
    talk.transcript("""
        C: .
        S: 552 5.3.4 Message exceeds the size limit
        C: MAIL FROM:<a@a.example>
        S: 250 2.1.0 OK
    """)
    assert talk.messages == []


class TestBdat:
    def test_chunks_make_one_message(self) -> None:
        talk = Conversation().begin()
        talk.transcript(r"""
            C~ BDAT 7\r\nline 1\r
            S: 250 2.0.0 OK
            C~ BDAT 3\r\n\n.\r
            S: 250 2.0.0 OK
            C~ BDAT 0\r\n
            S: 250 2.0.0 OK
            C~ BDAT 6 LAST\r\n\nend\r\n
            S: 250 2.0.0 OK
        """)
        assert talk.messages == [b"line 1\r\n.\r\nend\r\n"]

    def test_a_message_may_end_with_an_empty_chunk(self) -> None:
        talk = Conversation().begin()
        talk.transcript(r"""
            C~ BDAT 5\r\nab\r\nc
            S: 250 2.0.0 OK
            C~ BDAT 0 LAST\r\n
            S: 250 2.0.0 OK
        """)
        assert talk.messages == [b"ab\r\nc"]

    @pytest.mark.parametrize(
        "line",
        [
            b"BDAT\r\n",
            b"BDAT x LAST\r\n",
            b"bdat 1 FIRST\r\n",
            b"BDAT 6\n",  # the line ends with a bare LF
            b"BDAT\t6\r\n",
            b" BDAT 6\r\n",
            b"BDAT\x006\r\n",
            b"BDAT 6 \xff\r\n",
            b"BDAT6\r\n",
            b"\x00BDAT 6\r\n",
            b"B\x00DAT 6\r\n",
            b"\rBDAT 6\r\n",
            b"\xef\xbb\xbfBDAT 6\r\n",
            b"B DAT 6\r\n",
            b"BDAT 6" + b" " * 3000 + b"\r\n",
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("cut", [1, 5, 4096])
    def test_one_that_cannot_be_read_ends_the_session_for_its_octets_could_be_commands(
        self, line: bytes, cut: int
    ) -> None:
        talk = Conversation().begin()
        stream = line + b"NOOP\r\n"
        for start in range(0, len(stream), cut):
            talk.send(stream[start : start + cut])
        first, last, rest = talk.session.data_to_send().split(b"\r\n")
        assert first[:1] == b"5"
        assert last == b"421 4.7.0 mx2.example.net saw too many errors, closing connection"
        assert rest == b""
        assert talk.session.end is SessionEnd.UNREADABLE_BDAT
        assert TransactionAborted() not in talk.events
        assert talk.session.phase is Phase.CLOSED

    def test_the_octets_of_a_refused_chunk_are_no_commands(self) -> None:
        talk = Conversation().greet()
        talk.transcript(r"""
            C~ BDAT 6 LAST\r\nQUIT\r\n
            S: 503 5.5.1 Bad sequence of commands
            C: NOOP
            S: 250 2.0.0 OK
        """)

    def test_a_chunk_over_the_limit_is_refused_with_the_transaction(self) -> None:
        talk = Conversation(limits=SmtpLimits(message_octets=10)).begin()
        talk.transcript(r"""
            C~ BDAT 8\r\n12345678
            S: 250 2.0.0 OK
            C~ BDAT 6 LAST\r\nQUIT\r\n
            S: 552 5.3.4 Message exceeds the size limit
            C~ BDAT 6 LAST\r\nQUIT\r\n
            S: 503 5.5.1 Bad sequence of commands
        """)
        assert TransactionAborted() in talk.events

    def test_a_chunk_that_cannot_be_stored_ends_the_transaction(self) -> None:
        talk = Conversation().begin()
        talk.answers[ChunkReceived] = replies.STORE_FAILED
        talk.transcript(r"""
            C~ BDAT 2\r\nab
            S: 451 4.3.0 Cannot store mail now, try again later
            C~ BDAT 2 LAST\r\ncd
            S: 503 5.5.1 Bad sequence of commands
        """)

    def test_data_and_bdat_do_not_mix(self) -> None:
        Conversation().begin().transcript(r"""
            C~ BDAT 2\r\nab
            S: 250 2.0.0 OK
            C: DATA
            S: 503 5.5.1 Bad sequence of commands
            C: MAIL FROM:<c@c.example>
            S: 503 5.5.1 Bad sequence of commands
            C: RSET
            S: 250 2.0.0 OK
        """)

    def test_bare_newlines_become_crlf_across_chunks(self) -> None:
        talk = Conversation().begin()
        talk.send(b"BDAT 4\r\na\nb\rBDAT 3 LAST\r\nc\rd")
        assert talk.messages == [b"a\r\nb\r\nc\r\nd"]
        assert ContentReceived(found_bare_newline=True, found_nul=False) in talk.events


class TestStartTls:
    def test_everything_said_before_is_forgotten(self) -> None:
        talk = Conversation().greet()
        talk.transcript("C: STARTTLS\nS: 220 2.0.0 Ready to start TLS")
        talk.session.start_tls()
        talk.transcript("""
            C: MAIL FROM:<a@a.example>
            S: 503 5.5.1 Say EHLO or HELO first
            C: HELO client.example
            S: 250 mx2.example.net
            C: STARTTLS
            S: 503 5.5.1 TLS is already in use
        """)

    def test_bytes_behind_it_are_an_attack(self) -> None:
        talk = Conversation().greet()
        talk.send(b"STARTTLS\r\nMAIL FROM:<evil@a.example>\r\n")
        assert (
            talk.session.data_to_send() == b"554 5.5.0 Data after STARTTLS, closing connection\r\n"
        )
        assert talk.session.phase is Phase.CLOSED
        assert StartTls() not in talk.events

    def test_without_a_certificate_it_is_not_implemented(self) -> None:
        Conversation(can_start_tls=False).greet().transcript(
            "C: STARTTLS\nS: 502 5.5.1 Command not implemented"
        )


class TestEtrn:
    def test_it_is_passed_on_under_tls(self) -> None:
        talk = Conversation(has_tls=True).greet()
        talk.transcript("C: etrn  @B.example \nS: 250 2.0.0 OK, queuing for node x started")
        assert talk.events[-1] == Etrn("@B.example")

    def test_not_inside_a_transaction(self) -> None:
        Conversation(has_tls=True).begin().transcript(
            "C: ETRN b.example\nS: 503 5.5.1 Bad sequence of commands"
        )


TURNING = ServiceProfile(turns_around=True)
ODMR = ServiceProfile(takes_mail=False, turns_around=True)


class TestAtrn:
    def test_it_is_passed_on_under_tls(self) -> None:
        talk = Conversation(has_tls=True, profile=TURNING).greet()
        talk.transcript("C: ATRN a.example,b.example\nS: 250 2.0.0 OK now reversing the connection")
        assert talk.events[-1] == Atrn("a.example,b.example")

    @pytest.mark.parametrize("before", ["", "EHLO client.example\r\n"])
    def test_not_without_tls(self, before: str) -> None:
        talk = Conversation(profile=TURNING)
        talk.send(before.encode())
        talk.session.data_to_send()
        talk.transcript("C: ATRN a.example\nS: 530 5.7.0 Must issue a STARTTLS command first")

    def test_not_before_a_greeting(self) -> None:
        talk = Conversation(has_tls=True, profile=TURNING)
        talk.session.data_to_send()
        talk.transcript("C: ATRN\nS: 503 5.5.1 Say EHLO or HELO first")

    def test_not_inside_a_transaction(self) -> None:
        Conversation(has_tls=True, profile=TURNING).begin().transcript(
            "C: ATRN b.example\nS: 503 5.5.1 Bad sequence of commands"
        )

    def test_not_where_it_is_not_offered(self) -> None:
        Conversation(has_tls=True).greet().transcript(
            "C: ATRN b.example\nS: 502 5.5.1 Command not implemented"
        )

    def test_octets_behind_it_prevent_it_and_the_session_goes_on(self) -> None:
        """They would be read as replies to commands that we have not sent."""
        talk = Conversation(has_tls=True, profile=TURNING).greet()
        talk.send(b"ATRN a.example\r\n220 early\r\n")
        said = talk.session.data_to_send().split(b"\r\n")
        assert [line[:3] for line in said] == [b"503", b"500", b""]
        assert Atrn("a.example") not in talk.events
        talk.transcript("C: ATRN a.example\nS: 250 2.0.0 OK now reversing the connection")

    def test_refusals_wear_a_session_out(self) -> None:
        talk = Conversation(has_tls=True, profile=TURNING, limits=SmtpLimits(errors=3)).greet()
        talk.answers[Atrn] = replies.TURN_REFUSED
        for _ in range(3):
            talk.send(b"ATRN a.example\r\n")
        assert talk.session.phase is Phase.CLOSED

    @pytest.mark.parametrize("has_tls", [False, True])
    def test_help_names_it_under_tls_only(self, *, has_tls: bool) -> None:
        talk = Conversation(has_tls=has_tls, profile=TURNING).greet()
        talk.send(b"HELP\r\n")
        assert (b" ATRN " in talk.session.data_to_send()) is has_tls


class TestOdmrProfile:
    @pytest.mark.parametrize(
        "line", ["MAIL FROM:<a@a.example>", "RCPT TO:<b@b.example>", "DATA", "VRFY x", "EXPN x"]
    )
    def test_it_takes_no_mail(self, line: str) -> None:
        Conversation(has_tls=True, profile=ODMR).greet().transcript(
            f"C: {line}\nS: 502 5.5.1 Command not implemented"
        )

    def test_octets_that_were_announced_are_not_taken_for_commands(self) -> None:
        talk = Conversation(has_tls=True, profile=ODMR).greet()
        talk.send(b"BDAT 6 LAST\r\nATRN\r\nNOOP\r\n")
        said = talk.session.data_to_send().split(b"\r\n")
        assert [line[:3] for line in said] == [b"503", b"250", b""]

    def test_its_other_commands(self) -> None:
        Conversation(has_tls=True, profile=ODMR).transcript(
            """
            S: 220 mx2.example.net ESMTP Restante
            C: EHLO c.example
            S: 250-mx2.example.net
            S: 250-PIPELINING
            S: 250-ENHANCEDSTATUSCODES
            S: 250-AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256
            S: 250-ATRN
            S: 250-ETRN
            S: 250 HELP
            C: HELP
            S: 214 2.0.0 Commands: EHLO HELO STARTTLS AUTH RSET NOOP HELP ATRN ETRN QUIT
            C: RSET
            S: 250 2.0.0 OK
            C: NOOP
            S: 250 2.0.0 OK
            C: ETRN b.example
            S: 250 2.0.0 OK, queuing for node x started
            C: QUIT
            S: 221 2.0.0 mx2.example.net closing connection
            """
        )


class TestExternal:
    def test_a_client_that_has_shown_a_certificate_is_offered_it(self) -> None:
        talk = Conversation(has_tls=True, profile=ODMR)
        talk.session.has_certificate = True
        talk.transcript(
            """
            S: 220 mx2.example.net ESMTP Restante
            C: EHLO c.example
            S: 250-mx2.example.net
            S: 250-PIPELINING
            S: 250-ENHANCEDSTATUSCODES
            S: 250-AUTH PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 EXTERNAL
            S: 250-ATRN
            S: 250-ETRN
            S: 250 HELP
            C: AUTH EXTERNAL YWNtZS1tYWls
            S: 235 2.7.0 Authentication successful
            """
        )
        [asked] = [event for event in talk.events if isinstance(event, Authenticate)]
        assert asked == Authenticate("EXTERNAL", CertificateCredentials("acme-mail"))

    @pytest.mark.parametrize("line", ["AUTH EXTERNAL =", "AUTH EXTERNAL\r\n"])
    def test_the_identity_may_be_empty(self, line: str) -> None:
        talk = Conversation(has_tls=True)
        talk.session.has_certificate = True
        talk.greet().send(f"{line}\r\n".encode())
        assert talk.session.is_authenticated
        assert talk.events[-1] == Authenticate("EXTERNAL", CertificateCredentials(""))

    def test_without_a_certificate_it_is_unknown(self) -> None:
        Conversation(has_tls=True).greet().transcript(
            "C: AUTH EXTERNAL =\nS: 504 5.5.4 Unrecognized authentication mechanism"
        )


class TestWearingOut:
    def test_nothing_but_junk_ends_a_session(self) -> None:
        talk = Conversation(limits=SmtpLimits(junk_commands=5)).greet()
        talk.send(b"NOOP\r\n" * 10)
        assert talk.session.data_to_send().endswith(
            b"421 4.7.0 mx2.example.net saw too many errors, closing connection\r\n"
        )

    def test_a_message_makes_up_for_junk(self) -> None:
        talk = Conversation(limits=SmtpLimits(junk_commands=5)).greet()
        for _ in range(4):
            talk.send(
                b"RSET\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<b@b.example>\r\nDATA\r\nx\r\n.\r\n"
            )
        assert len(talk.messages) == 4
        assert talk.session.phase is Phase.GREETED

    def test_a_client_that_does_not_greet_is_closed_sooner(self) -> None:
        talk = Conversation(limits=SmtpLimits(early_commands=3))
        talk.send(b"NOOP\r\nMAIL FROM:<>\r\nNOOP\r\nNOOP\r\n")
        assert talk.session.phase is Phase.CLOSED

    def test_guessing_recipients_ends_a_session(self) -> None:
        talk = Conversation(limits=SmtpLimits(refused_recipients=3)).begin()
        talk.answers[Rcpt] = replies.RELAYING_DENIED
        talk.send(b"RCPT TO:<c@b.example>\r\n" * 5)
        assert talk.session.phase is Phase.CLOSED
        assert talk.session.data_to_send().count(b"550 ") == 3
