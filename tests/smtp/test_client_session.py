"""The client session by transcripts: how it ends."""

from restante.queue.recipient_status import RecipientMove
from restante.smtp.client_events import SessionEnding
from restante.smtp.client_transaction import CONTENT, MAIL, QUIT
from tests.smtp.client_talk import PIPELINING, ClientTalk, mail

DELIVERED, DEFERRED, REFUSED = (
    RecipientMove.DELIVERED,
    RecipientMove.DEFERRED,
    RecipientMove.REFUSED,
)


def test_a_server_that_cannot_reset_is_left() -> None:
    talk = ClientTalk(mail(1), mail(2))
    talk.transcript(
        PIPELINING,
        """
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 554 no
        C: RSET
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 500 what?
        """,
    )
    assert (talk.ending.ending, talk.ending.reason) == (SessionEnding.REFUSED, "RSET: 500 what?")
    assert talk.outstanding == [2]


def test_quit_waits_for_what_was_begun() -> None:
    talk = ClientTalk(mail(1), mail(2))
    talk.transcript(
        PIPELINING,
        """
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        """,
    )
    talk.session.quit()
    assert talk.session.awaited is MAIL
    talk.transcript("""
        S: 250 OK
        S: 250 OK
        S: 354 go
        C: Subject: x
        C:
        C: body
        C: .
    """)
    assert talk.session.awaited is CONTENT
    talk.transcript("""
        S: 250 taken
        C: QUIT
    """)
    assert talk.session.awaited is QUIT
    talk.transcript("S: 221 bye")
    assert talk.ending.ending is SessionEnding.QUIT
    assert talk.moves == {1: {"b@b.example": DELIVERED}}
    assert list(talk.waiting) == [mail(2)]


def test_quit_before_the_session_is_ready_takes_the_place_of_what_comes_next() -> None:
    talk = ClientTalk(mail(1))
    talk.session.quit()
    talk.transcript("S: 220 p.example ESMTP\nC: QUIT\nS: 221 bye")
    assert talk.ending.ending is SessionEnding.QUIT
