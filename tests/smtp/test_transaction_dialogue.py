"""Transactions by transcripts: every outcome of mail, with PIPELINING and without."""

import pytest

from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret
from restante.mail.message import ContentFile
from restante.queue.recipient_status import RecipientMove
from tests.smtp.client_talk import PIPELINING, PLAIN, ClientTalk, mail

DELIVERED, DEFERRED, REFUSED = (
    RecipientMove.DELIVERED,
    RecipientMove.DEFERRED,
    RecipientMove.REFUSED,
)


def test_with_pipelining_a_message_costs_one_round_trip() -> None:
    """The content leaves with the opening of the next transaction, and never before its own 354."""
    talk = ClientTalk(mail(1), mail(2, content=b"second\r\n"), mail(3, content=b"third\r\n"))
    talk.transcript(
        PIPELINING,
        """
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 250 2.1.0 OK
        S: 250 2.1.5 OK
        S: 354 go ahead
        C: Subject: x
        C:
        C: body
        C: .
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 250 2.0.0 queued as 1
        S: 250 2.1.0 OK
        S: 250 2.1.5 OK
        S: 354 go ahead
        C: second
        C: .
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        """,
    )
    assert talk.moves == {1: {"b@b.example": DELIVERED}}
    assert talk.outstanding == [2, 3]


def test_without_pipelining_every_command_waits() -> None:
    talk = ClientTalk(mail(1, "b@b.example", "c@b.example"), mail(2))
    talk.transcript(
        PLAIN,
        """
        C: MAIL FROM:<a@a.example>
        S: 250 OK
        C: RCPT TO:<b@b.example>
        S: 250 OK
        C: RCPT TO:<c@b.example>
        S: 250 OK
        C: DATA
        S: 354 go ahead
        C: Subject: x
        C:
        C: body
        C: .
        S: 250 queued
        C: MAIL FROM:<a@a.example>
        """,
    )
    assert talk.moves == {1: {"b@b.example": DELIVERED, "c@b.example": DELIVERED}}


def test_each_recipient_has_its_own_outcome() -> None:
    talk = ClientTalk(mail(1, "a@b.example", "b@b.example", "c@b.example"))
    talk.transcript(
        PIPELINING,
        """
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<a@b.example>
        C: RCPT TO:<b@b.example>
        C: RCPT TO:<c@b.example>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 450 4.2.1 later
        S: 550 5.1.1 nobody here
        S: 354 go
        C: Subject: x
        C:
        C: body
        C: .
        S: 250 queued
        """,
    )
    assert talk.moves[1] == {
        "a@b.example": DELIVERED,
        "b@b.example": DEFERRED,
        "c@b.example": REFUSED,
    }
    assert talk.replies[1] == ["250 queued", "450 4.2.1 later", "550 5.1.1 nobody here"]


@pytest.mark.parametrize(
    ("reply", "move"), [("451 4.3.0 disk full", DEFERRED), ("554 5.6.0 a virus", REFUSED)]
)
def test_refused_content_is_refused_for_those_who_would_have_had_it(
    reply: str, move: RecipientMove
) -> None:
    talk = ClientTalk(mail(1, "a@b.example", "b@b.example", "c@b.example"), mail(2))
    talk.transcript(
        PIPELINING,
        f"""
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<a@b.example>
        C: RCPT TO:<b@b.example>
        C: RCPT TO:<c@b.example>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 450 later
        S: 550 nobody
        S: 354 go
        C: Subject: x
        C:
        C: body
        C: .
        # The transaction is over either way: no RSET.
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: {reply}
        S: 250 OK
        """,
    )
    assert talk.moves[1] == {"a@b.example": move, "b@b.example": DEFERRED, "c@b.example": REFUSED}


def test_a_lone_end_mark_answers_354_without_recipients_and_is_no_success() -> None:
    talk = ClientTalk(mail(1, "a@b.example", "b@b.example"), mail(2))
    talk.transcript(
        PIPELINING,
        """
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<a@b.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 250 OK
        S: 550 nobody
        S: 450 later
        S: 354 go
        C: .
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 250 thank you for nothing
        """,
    )
    assert talk.moves[1] == {"a@b.example": REFUSED, "b@b.example": DEFERRED}
    assert talk.outstanding == [2]


def test_a_refused_mail_needs_no_reset() -> None:
    talk = ClientTalk(mail(1), mail(2))
    talk.transcript(
        PIPELINING,
        """
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 550 5.7.1 not from there
        S: 503 5.5.1 need MAIL
        S: 503 5.5.1 need RCPT
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        """,
    )
    assert talk.moves[1] == {"b@b.example": REFUSED}
    assert talk.replies[1] == ["550 5.7.1 not from there"]


def test_a_refused_mail_whose_data_gets_354_is_answered_by_a_lone_end_mark() -> None:
    talk = ClientTalk(mail(1))
    talk.transcript(
        PIPELINING,
        """
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 451 not now
        S: 250 OK
        S: 354 go
        C: .
        S: 250 OK
        """,
    )
    assert talk.moves[1] == {"b@b.example": DEFERRED}


def test_a_transaction_that_data_left_open_is_reset_before_the_next() -> None:
    talk = ClientTalk(mail(1), mail(2))
    talk.transcript(
        PIPELINING,
        """
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 451 no room
        C: RSET
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 250 OK
        S: 354 go
        C: Subject: x
        C:
        C: body
        C: .
        S: 250 OK
        """,
    )
    assert talk.moves == {1: {"b@b.example": DEFERRED}, 2: {"b@b.example": DELIVERED}}


def test_without_pipelining_nothing_is_sent_that_cannot_help() -> None:
    talk = ClientTalk(mail(1, "a@b.example", "b@b.example"), mail(2), mail(3))
    talk.transcript(
        PLAIN,
        """
        C: MAIL FROM:<a@a.example>
        S: 250 OK
        C: RCPT TO:<a@b.example>
        S: 550 nobody
        C: RCPT TO:<b@b.example>
        S: 452 later
        # No DATA; and the next MAIL waits for the reply to RSET.
        C: RSET
        S: 250 OK
        C: MAIL FROM:<a@a.example>
        S: 451 not now
        C: MAIL FROM:<a@a.example>
        """,
    )
    assert talk.moves == {
        1: {"a@b.example": REFUSED, "b@b.example": DEFERRED},
        2: {"b@b.example": DEFERRED},
    }


def test_dots_are_stuffed_and_a_missing_line_end_is_added() -> None:
    talk = ClientTalk(mail(1, content=b".dot\r\n..two\r\nend"))
    talk.transcript(
        PIPELINING,
        """
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 354 go
        C: ..dot
        C: ...two
        C: end
        C: .
        """,
    )


def test_only_what_is_offered_is_asked_for() -> None:
    message = mail(
        1, "ü@b.example", content=b"x\r\n", reverse_path="", is_8bit=True, needs_smtputf8=True
    )
    ClientTalk(message).transcript(
        """
        S: 220 p.example
        C: EHLO mx2.example.net
        S: 250-p.example hello
        S: 250-pipelining
        S: 250-SIZE 1000
        S: 250-8BitMIME
        S: 250 SMTPUTF8
        C: MAIL FROM:<> SIZE=3 BODY=8BITMIME SMTPUTF8
        C: RCPT TO:<ü@b.example>
        C: DATA
        """
    )
    ClientTalk(mail(1, is_8bit=True)).transcript(
        PIPELINING,
        """
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        """,
    )


def test_a_request_for_reports_is_passed_on_as_it_came() -> None:
    """RFC 3461 §5.2.1; nothing is added for a recipient without a request."""
    asked = {
        "b@b.example": RecipientRequest(Notify.SUCCESS | Notify.DELAY, "rfc822;B+3Db@b.example"),
        "d@b.example": RecipientRequest(Notify.NEVER),
    }
    to = ("b@b.example", "c@b.example", "d@b.example")
    talk = ClientTalk(mail(1, *to, dsn=DsnRequest(Ret.HDRS, "QQ+2B314", asked)), mail(2))
    talk.transcript(
        """
        S: 220 p.example ESMTP
        C: EHLO mx2.example.net
        S: 250-p.example
        S: 250-PIPELINING
        S: 250 DSN
        C: MAIL FROM:<a@a.example> RET=HDRS ENVID=QQ+2B314
        C: RCPT TO:<b@b.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;B+3Db@b.example
        C: RCPT TO:<c@b.example>
        C: RCPT TO:<d@b.example> NOTIFY=NEVER
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 250 OK
        S: 250 OK
        S: 354 go ahead
        C: Subject: x
        C:
        C: body
        C: .
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        """,
    )


def test_large_content_is_asked_for_and_goes_out_in_blocks() -> None:
    talk = ClientTalk(mail(1, content=b"Received: x\r\n", file=ContentFile("f", 9, 0)), mail(2))
    talk.transcript(
        PIPELINING,
        """
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 250 OK
        S: 250 OK
        S: 354 go
        C: Received: x
        """,
    )
    assert talk.wants_content
    assert talk.session.is_sending_content
    assert not talk.session.can_begin
    talk.session.send_content(b"one\r")
    talk.session.send_content(b"\n.t")
    assert talk.session.data_to_send() == b"one\r\n..t"
    talk.session.send_content(b"wo\r\n")
    talk.session.end_content()
    talk.go_on()
    talk.transcript("""
        C: wo
        C: .
        C: MAIL FROM:<a@a.example>
        C: RCPT TO:<b@b.example>
        C: DATA
        S: 250 taken
    """)
    assert talk.moves[1] == {"b@b.example": DELIVERED}


def test_a_path_that_would_become_something_else_is_not_sent() -> None:
    for path in (
        "a>\r\nRCPT TO:<c@b.example",
        "a b@b.example",
        "a@b.example> SIZE=1",
        'a@b.example"',
        "\udc80@b.example",
    ):
        talk = ClientTalk(mail(1, path))
        with pytest.raises(ValueError, match="cannot be sent"):
            talk.transcript(PIPELINING)
        assert talk.session.data_to_send() == b""
