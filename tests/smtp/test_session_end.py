"""The session names the reason for its end: the log and the metrics repeat it."""

import pytest

from restante.smtp import replies
from restante.smtp.commands import Rcpt
from restante.smtp.limits import SmtpLimits
from restante.smtp.phases import Phase
from restante.smtp.session_end import SessionEnd
from tests.smtp.conversation import Conversation

LIMITS = SmtpLimits(errors=3, early_commands=2, junk_commands=4, refused_recipients=2)
EHLO = b"EHLO c.example\r\n"
MAIL = b"MAIL FROM:<a@a.example>\r\n"
RCPT = b"RCPT TO:<b@b.example>\r\n"


@pytest.mark.parametrize(
    ("said", "end"),
    [
        (b"QUIT\r\n", SessionEnd.QUIT),
        (EHLO + b"FOO\r\n" * 3, SessionEnd.ERRORS),
        (b"NOOP\r\n" * 3, SessionEnd.EARLY_COMMANDS),
        (EHLO + b"NOOP\r\n" * 4, SessionEnd.JUNK_COMMANDS),
        (EHLO + MAIL + RCPT * 2, SessionEnd.REFUSED_RECIPIENTS),
        (EHLO + MAIL + b"BDAT x\r\n", SessionEnd.UNREADABLE_BDAT),
        (EHLO + b"STARTTLS\r\nNOOP\r\n", SessionEnd.DATA_BEFORE_TLS),
    ],
)
def test_each_limit_has_its_name(said: bytes, end: SessionEnd) -> None:
    talk = Conversation(limits=LIMITS)
    talk.answers[Rcpt] = replies.RELAYING_DENIED
    talk.send(said)
    assert talk.session.phase is Phase.CLOSED
    assert talk.session.end is end


def test_the_first_reason_stays() -> None:
    talk = Conversation(limits=LIMITS).greet()
    talk.send(b"FOO\r\n" * 3)
    talk.session.close(replies.SHUTTING_DOWN, SessionEnd.SERVER_STOPPING)
    assert talk.session.end is SessionEnd.ERRORS
