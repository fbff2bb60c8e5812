"""Lines as commands, and the reply to each that is none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.address import Mailbox
from restante.smtp import replies
from restante.smtp.commands import (
    Atrn,
    Auth,
    Bdat,
    Command,
    Data,
    Etrn,
    Hello,
    Help,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Reset,
    StartTls,
    Unimplemented,
    Verify,
    decode_initial,
    decode_response,
    parse_command,
)
from restante.smtp.protocol_errors import CommandRefused
from restante.smtp.replies import Reply

A = Mailbox("a", "a.example")


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"EHLO c.example", Hello("c.example", is_extended=True)),
        (b"helo [192.0.2.1]", Hello("[192.0.2.1]", is_extended=False)),
        (b"STARTTLS", StartTls()),
        (b"AUTH plain", Auth("PLAIN", None)),
        (b"AUTH PLAIN AGE=", Auth("PLAIN", "AGE=")),
        (b"MAIL FROM:<>", Mail(None, 0, is_8bit=False, needs_smtputf8=False)),
        (
            b"MAIL FROM:<a@a.example> SIZE=5 BODY=8bitmime SMTPUTF8 AUTH=<>",
            Mail(A, 5, is_8bit=True, needs_smtputf8=True),
        ),
        (
            "MAIL FROM:<ü@a.example>".encode(),
            Mail(Mailbox("ü", "a.example"), 0, is_8bit=False, needs_smtputf8=False),
        ),
        (b"MAIL FROM:<a@a.example> BODY=7BIT", Mail(A, 0, is_8bit=False, needs_smtputf8=False)),
        (b"RCPT TO:<a@a.example>", Rcpt(A)),
        (b"RCPT TO:<a@a.example> X-Y=1", Rcpt(A, ("X-Y",))),
        (b"RCPT TO:<Postmaster>", Rcpt(Mailbox("Postmaster", ""))),
        (b"DATA", Data()),
        (b"data  ", Data()),
        (b"BDAT 5", Bdat(5, is_last=False)),
        (b"bdat 0 last", Bdat(0, is_last=True)),
        (b"RSET", Reset()),
        (b"NOOP anything", Noop()),
        (b"HELP MAIL", Help()),
        (b"VRFY anna", Verify()),
        (b"EXPN list", Unimplemented()),
        (b"TURN", Unimplemented()),
        (b"ETRN @a.example ", Etrn("@a.example")),
        (b"ETRN", Etrn("")),
        (b"atrn a.example, b.example ", Atrn("a.example, b.example")),
        (b"ATRN", Atrn("")),
        (b"QUIT", Quit()),
    ],
)
def test_a_line_is_a_command(line: bytes, command: Command) -> None:
    assert parse_command(line) == command


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"", replies.UNKNOWN_COMMAND),
        (b"GET / HTTP/1.1", replies.UNKNOWN_COMMAND),
        (b"DATAX", replies.UNKNOWN_COMMAND),
        (b" BDAT 5", replies.UNKNOWN_COMMAND),  # BDAT is read strictly
        (b"NOOP \0", replies.BAD_CHARACTER),
        (b"NOOP \r", replies.BAD_CHARACTER),
        (b"EHLO \xff", replies.BAD_CHARACTER),
        (b"EHLO", replies.BAD_HELLO),
        (b"DATA now", replies.NO_ARGUMENTS_ALLOWED),
        (b"RSET now", replies.NO_ARGUMENTS_ALLOWED),
        (b"AUTH", replies.BAD_ARGUMENTS),
        (b"BDAT", replies.BAD_ARGUMENTS),
        (b"BDAT -1", replies.BAD_ARGUMENTS),
        (b"BDAT 5 FIRST", replies.BAD_ARGUMENTS),
        (b"BDAT 5 LAST LAST", replies.BAD_ARGUMENTS),
        (b"BDAT " + b"9" * 21, replies.BAD_ARGUMENTS),
        (b"MAIL TO:<a@a.example>", replies.BAD_REVERSE_PATH),
        (b"MAIL FROM:<a@a.example> SIZE=x", replies.BAD_ARGUMENTS),
        (b"MAIL FROM:<a@a.example> SIZE", replies.BAD_ARGUMENTS),
        (b"MAIL FROM:<a@a.example> SMTPUTF8=1", replies.BAD_ARGUMENTS),
        (b"MAIL FROM:<a@a.example> BODY=BINARYMIME", replies.UNKNOWN_PARAMETER),
        (b"MAIL FROM:<a@a.example> X-Y=1", replies.UNKNOWN_PARAMETER),
        (b"RCPT TO:<>", replies.BAD_FORWARD_PATH),
        (b"RCPT TO:<anna>", replies.BAD_FORWARD_PATH),
    ],
)
def test_other_lines_have_their_reply(line: bytes, reply: Reply) -> None:
    with pytest.raises(CommandRefused) as caught:
        parse_command(line)
    assert caught.value.reply == reply


VERBS = [b"EHLO ", b"MAIL FROM:", b"RCPT TO:", b"BDAT ", b"AUTH ", b"ETRN ", b"ATRN "]
parts = [b"<a@b>", b"<", b">", b'"', b"\\", b" ", b"=", b"SIZE=1", b"LAST", b"9", b"\xc3\xbc", b":"]


@given(st.sampled_from(VERBS), st.lists(st.sampled_from(parts)).map(b"".join) | st.binary())
def test_any_line_is_a_command_or_a_refusal(verb: bytes, rest: bytes) -> None:
    for line in (rest, verb + rest):
        with suppress(CommandRefused):
            assert parse_command(line) is not None


@pytest.mark.parametrize(
    ("line", "response"), [(b"=", b""), (b"AGE=", b"\0a"), (b"YQ==", b"a"), (b"", b"")]
)
def test_a_response_is_base64(line: bytes, response: bytes) -> None:
    assert decode_response(line) == response
    assert decode_initial(line.decode()) == response


@pytest.mark.parametrize("line", [b"A", b"A===", b"!!!!", b"YQ== ", b"YQ=\xff"])
def test_other_text_is_no_response(line: bytes) -> None:
    with pytest.raises(CommandRefused) as caught:
        decode_response(line)
    assert caught.value.reply == replies.BAD_BASE64


def test_without_an_initial_response_there_is_none_to_decode() -> None:
    assert decode_initial(None) is None
