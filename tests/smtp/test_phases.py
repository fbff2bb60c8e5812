"""The table of phases is obeyed: every command in every phase."""

import pytest

from restante.smtp.commands import Atrn, Bdat, Command, Data, Etrn, Hello, Mail, Rcpt, Reset
from restante.smtp.phases import IN_TRANSACTION, TRANSITIONS, Phase
from restante.smtp.server_options import ServiceProfile
from tests.smtp.conversation import Conversation

_LINES: dict[type[Command], bytes] = {
    Hello: b"EHLO client.example\r\n",
    Mail: b"MAIL FROM:<a@a.example>\r\n",
    Rcpt: b"RCPT TO:<b@b.example>\r\n",
    Data: b"DATA\r\n",
    Bdat: b"BDAT 1\r\nx",
    Reset: b"RSET\r\n",
    Etrn: b"ETRN b.example\r\n",
    Atrn: b"ATRN b.example\r\n",
}


_WAY_TO: dict[Phase, bytes] = {
    Phase.CONNECTED: b"",
    Phase.GREETED: b"EHLO c.example\r\n",
    Phase.SENDER: b"EHLO c.example\r\nMAIL FROM:<a@a.example>\r\n",
    Phase.RECIPIENTS: b"EHLO c.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n",
    Phase.CHUNKS: b"EHLO c.example\r\n"
    b"MAIL FROM:<a@a.example>\r\n"
    b"RCPT TO:<b@b.example>\r\n"
    b"BDAT 1\r\n"
    b"x",
}


@pytest.mark.parametrize("phase", _WAY_TO)
@pytest.mark.parametrize("command", _LINES)
def test_the_table_is_obeyed(phase: Phase, command: type[Command]) -> None:
    """Every command in every phase: the reply and the next phase are those of the table."""
    talk = Conversation(has_tls=True, profile=ServiceProfile(turns_around=True))
    talk.send(_WAY_TO[phase])
    assert talk.session.phase is phase
    talk.session.data_to_send()
    talk.send(_LINES[command])
    expected = TRANSITIONS[phase].get(command)
    code = int(talk.session.data_to_send()[:3])
    assert (code == 503) is (expected is None)
    assert talk.session.phase is (expected or phase)


def test_every_phase_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(Phase)


def test_a_transaction_is_open_from_mail_to_the_end_of_content() -> None:
    begun = {TRANSITIONS[Phase.GREETED][Mail]}
    while more := {
        after
        for phase in begun
        for command, after in TRANSITIONS[phase].items()
        if command not in (Reset, Hello) and after not in begun
    }:
        begun |= more
    assert begun == IN_TRANSACTION


@pytest.mark.parametrize("phase", Phase)
def test_a_greeting_or_reset_ends_a_transaction(phase: Phase) -> None:
    for command in (Hello, Reset):
        assert TRANSITIONS[phase].get(command) not in IN_TRANSACTION
