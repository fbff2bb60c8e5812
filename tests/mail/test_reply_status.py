"""The codes of replies, as text and on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.reply_status import ReplyStatus, read_reply_status
from restante.smtp.peer_replies import ServerReply


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("250", ReplyStatus(250)),
        ("250 2.0.0 queued", ReplyStatus(250, "2.0.0")),
        ("550 5.1.1: nobody", ReplyStatus(550, "5.1.1")),
        ("550 #5.1.0 Address rejected.", ReplyStatus(550, "5.1.0")),
        ("550-5.1.1 in lines", ReplyStatus(550, "5.1.1")),
        ("550 5.1.1.anna", ReplyStatus(550)),
        ("550 5.1.1000 no", ReplyStatus(550)),
        ("550 12 unknown", ReplyStatus(550)),
        ("450 mailbox busy", ReplyStatus(450)),
        ("", None),
        ("no reply to RCPT", None),
        ("20 recipients were refused alike", None),
        ("2500 messages", None),
        ("650 no such class", None),
    ],
)
def test_the_codes_stand_at_the_beginning(text: str, status: ReplyStatus | None) -> None:
    assert read_reply_status(text) == status


@given(st.integers(200, 599), st.binary(max_size=40))
def test_a_stored_reply_has_the_codes_that_were_read_from_the_wire(code: int, words: bytes) -> None:
    line = bytes(octet for octet in words if 0x20 <= octet < 0x7F).strip()
    reply = ServerReply(code, (line,))
    assert read_reply_status(reply.text) == reply.status


@given(st.text())
def test_any_text_is_read_or_is_none(text: str) -> None:
    status = read_reply_status(text)
    assert status is None or read_reply_status(status.text) == status


def test_the_topic_counts_only_within_its_class() -> None:
    assert ReplyStatus(550, "5.1.1").topic == "1.1"
    assert ReplyStatus(450, "5.1.1").topic == ""
    assert ReplyStatus(550).topic == ""
    assert ReplyStatus(450).is_temporary
    assert ReplyStatus(550).is_permanent
    assert not ReplyStatus(250).is_permanent
