"""Properties of the server session with any input."""

from hypothesis import given
from hypothesis import strategies as st

from restante.smtp.limits import SmtpLimits
from restante.smtp.server_events import ContentBlock, ServerEvent
from tests.smtp.conversation import Conversation
from tests.smtp.test_content import cut, slices

_LINES = [
    b"EHLO c.example\r\n",
    b"HELO c.example\r\n",
    b"MAIL FROM:<a@a.example>\r\n",
    b"MAIL FROM:<> SIZE=3\r\n",
    b"RCPT TO:<b@b.example>\r\n",
    b"DATA\r\n",
    b"one\r\n..two\r\n",
    b".\r\n",
    b"\r\n.\r\n",
    b"BDAT 5\r\nab\ncd",
    b"BDAT 4 LAST\r\n.\r\n\r",
    b"BDAT 0 LAST\r\n",
    b"BDAT 30 LAST\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n",
    b"AUTH CRAM-MD5\r\n",
    b"*\r\n",
    b"ETRN b.example\r\n",
    b"ATRN b.example\r\n",
    b"FOO\r\n",
    b"\n",
    b"\r",
    b"N" * 3000,
    b"\0",
]
dialogues = st.lists(st.sampled_from(_LINES), max_size=25).map(b"".join)


def outcome(pieces: list[bytes]) -> tuple[bytes, list[ServerEvent], list[bytes]]:
    """Return the visible parts of a dialogue: replies, events without content's cuts, messages."""
    talk = Conversation(has_tls=True, limits=SmtpLimits(message_octets=60, errors=50))
    said = talk.session.data_to_send()
    for piece in pieces:
        talk.send(piece)
        said += talk.session.data_to_send()
    return (
        said,
        [event for event in talk.events if not isinstance(event, ContentBlock)],
        talk.messages,
    )


@given(dialogues, slices)
def test_however_tcp_slices_the_bytes_the_dialogue_is_the_same(
    dialogue: bytes, cuts: list[int]
) -> None:
    assert outcome(cut(dialogue, cuts)) == outcome([dialogue])


@given(st.binary(max_size=400), slices)
def test_any_bytes_give_replies_or_silence_and_never_an_exception(
    data: bytes, cuts: list[int]
) -> None:
    said, _, _ = outcome(cut(data, cuts))
    assert said.endswith(b"\r\n")
    for line in said.split(b"\r\n")[:-1]:
        assert line[:3].isdigit()
        assert line[3:4] in (b" ", b"-")


@given(
    st.lists(
        st.sampled_from(
            [line for line in _LINES if line.endswith(b"\r\n") and b"BDAT" not in line]
        ),
        max_size=12,
    )
)
def test_every_line_outside_content_gets_exactly_one_reply(lines: list[bytes]) -> None:
    talk = Conversation(has_tls=True, limits=SmtpLimits(early_commands=50))
    talk.session.data_to_send()
    for line in lines:
        if talk.session.is_in_content or line.count(b"\r\n") > 1:
            continue
        talk.send(line)
        last_lines = [
            reply for reply in talk.session.data_to_send().split(b"\r\n")[:-1] if reply[3:4] == b" "
        ]
        assert len(last_lines) == 1
