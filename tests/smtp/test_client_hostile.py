"""Servers that break the protocol: nothing they say may count as a delivery that was not one."""

import pytest

from restante.mail.message import ContentFile
from restante.queue.recipient_status import RecipientMove
from restante.smtp.client_events import SessionEnding
from restante.smtp.protocol_errors import PeerBroke, ReplyEndLost
from tests.smtp.client_talk import PIPELINING, PLAIN, ClientTalk, mail

OPENED = """
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<b@b.example>
    C: DATA
"""
SENT = f"""
    {OPENED.strip()}
    S: 250 OK
    S: 250 OK
    S: 354 go
    C: Subject: x
    C:
    C: body
    C: .
"""


def broken(talk: ClientTalk, *texts: str) -> ClientTalk:
    with pytest.raises(PeerBroke):
        talk.transcript(*texts)
    talk.receive(b"250 OK\r\n" * 9)
    assert talk.session.next_event() is None, "nothing follows a break"
    return talk


def flood(talk: ClientTalk, piece: bytes) -> None:
    for _ in range(1000):
        talk.receive(piece)


@pytest.mark.parametrize(
    "replies",
    [
        "S: hello there",
        "S: 25 OK",
        "S: 150 wait",
        "S: 600 what",
        "S~ 250 OK\\n",
        "S~ 250 OK\\n250 OK\\r\\n",
        "S: 250-one\nS: 450 two",
        "S~ 250-one\\n250 two\\r\\n",
        "S: 220 not what was asked",
        "S: 354 too early",
        "S: 235 what?",
        "S: 250 OK\nS: 354 no RCPT can get that",
        "S: 250 OK\nS: 250 OK\nS: 250 no DATA can get that",
    ],
)
def test_nonsense_voids_the_session(replies: str) -> None:
    talk = broken(ClientTalk(mail(1)), PIPELINING, OPENED, replies)
    assert talk.outstanding == [1]
    assert talk.moves == {}


def test_an_endless_line_is_not_awaited() -> None:
    talk = ClientTalk(mail(1)).transcript(PIPELINING, OPENED)
    with pytest.raises(PeerBroke):
        flood(talk, b"2" * 300)


def test_an_endless_reply_is_not_awaited() -> None:
    talk = ClientTalk(mail(1)).transcript(PIPELINING, OPENED)
    with pytest.raises(ReplyEndLost):
        flood(talk, b"250-and more than there is to say" * 10 + b"\r\n")


def test_an_empty_line_is_passed_over() -> None:
    replies = SENT.replace("S: 250 OK", "S:\n    S: 250 OK")
    talk = ClientTalk(mail(1)).transcript(PIPELINING, replies, "S:\nS:\nS: 250 OK")
    assert talk.moves == {1: {"b@b.example": RecipientMove.DELIVERED}}


def test_a_reply_to_content_that_was_not_sent_is_no_delivery() -> None:
    """A proxy that says 250 to everything in advance loses mail. Our copy must survive that."""
    talk = broken(
        ClientTalk(mail(1)), PIPELINING, OPENED, "S: 250 OK\nS: 250 OK\nS: 354 go\nS: 250 queued"
    )
    assert talk.moves == {}
    assert talk.outstanding == [1]


def test_a_reply_before_the_end_of_large_content_is_no_delivery() -> None:
    talk = ClientTalk(mail(1, content=b"R: x\r\n", file=ContentFile("f", 9, 0)))
    talk.transcript(PIPELINING, OPENED, "S: 250 OK\nS: 250 OK\nS: 354 go\nC: R: x")
    talk.session.send_content(b"half of it")
    talk.session.data_to_send()
    assert broken(talk, "S: 250 queued").outstanding == [1]


def test_one_reply_too_many_after_the_content_takes_the_next_message_with_it() -> None:
    """The first 250 stands in the place of the content's reply. The second has no known cause."""
    talk = broken(
        ClientTalk(mail(1), mail(2)),
        PIPELINING,
        SENT,
        OPENED,
        "S: 250 queued\nS: 250 what is this?\nS: 250 OK\nS: 250 OK\nS: 354 go",
    )
    assert talk.moves == {1: {"b@b.example": RecipientMove.DELIVERED}}
    assert talk.outstanding == [2]


def test_a_reply_to_nothing_voids_an_idle_session() -> None:
    broken(ClientTalk(), PIPELINING, "S: 250 hello?")


@pytest.mark.parametrize(
    "busy",
    ["S: 421 4.3.2 shutting down", "S: 250 OK\nS: 421 bye", "S: 250 OK\nS: 250 OK\nS: 421 bye"],
)
def test_421_anywhere_ends_the_session_with_everything_outstanding(busy: str) -> None:
    talk = ClientTalk(mail(1)).transcript(PIPELINING, OPENED, busy)
    assert talk.ending.ending is SessionEnding.BUSY
    assert talk.moves == {}
    assert talk.outstanding == [1]


def test_421_to_content_leaves_both_messages_outstanding() -> None:
    talk = ClientTalk(mail(1), mail(2)).transcript(PIPELINING, SENT, OPENED, "S: 421 too many")
    assert talk.outstanding == [1, 2]


def test_421_after_the_reply_to_content_leaves_the_delivery() -> None:
    talk = ClientTalk(mail(1), mail(2)).transcript(
        PIPELINING, SENT, OPENED, "S: 250 queued\nS: 421 enough"
    )
    assert talk.moves == {1: {"b@b.example": RecipientMove.DELIVERED}}
    assert talk.outstanding == [2]


def test_421_that_nobody_asked_for_ends_an_idle_session() -> None:
    talk = ClientTalk().transcript(PIPELINING, "S: 421 idle too long")
    assert (talk.ending.ending, talk.ending.reason) == (SessionEnding.BUSY, "421 idle too long")


def test_a_word_of_the_server_is_safe_to_show() -> None:
    talk = ClientTalk(mail(1))
    talk.transcript(
        PLAIN,
        "C: MAIL FROM:<a@a.example>",
        "S~ 550-no \\x1b[2J\\x00\\r\\n550 \\xff" + "x" * 1500 + "\\r\\n",
    )
    text = talk.replies[1][0]
    assert text.startswith("550 no ?[2J? \ufffdxxx")
    assert len(text) < 1100
    assert text.isprintable()
