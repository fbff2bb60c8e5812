"""Commands behind content: tried once, given up where not understood, never losing a message."""

from restante.queue.recipient_status import RecipientMove
from restante.smtp.pipelining import ContentPipelining
from tests.smtp.client_talk import PIPELINING, ClientTalk, mail

DELIVERED = {"b@b.example": RecipientMove.DELIVERED}
OPENING = """
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<b@b.example>
    C: DATA
"""
GO_AHEAD = """
    S: 250 OK
    S: 250 OK
    S: 354 go
"""
CONTENT = """
    C: Subject: x
    C:
    C: body
    C: .
"""
REFUSED_TRIAL = """
    C: RSET
    S: 250 queued
    S: 503 5.5.1 Bad sequence of commands
"""


def test_the_second_content_carries_a_trial_and_the_third_an_opening() -> None:
    talk = ClientTalk(*map(mail, range(1, 5)), across=ContentPipelining.UNTRIED)
    talk.transcript(
        PIPELINING,
        OPENING,
        GO_AHEAD,
        CONTENT,
        "S: 250 queued",
        OPENING,
        GO_AHEAD,
        CONTENT,
        "C: RSET\nS: 250 queued",
    )
    assert talk.session.awaits_across
    assert not talk.session.can_begin
    talk.transcript("S: 250 reset", OPENING, GO_AHEAD, CONTENT, OPENING)
    assert talk.pace.across is ContentPipelining.BORNE
    assert talk.outstanding == [3, 4]


def test_where_the_trial_is_refused_each_transaction_waits_over_the_same_connection() -> None:
    talk = ClientTalk(*map(mail, range(1, 5)), across=ContentPipelining.UNTRIED)
    talk.transcript(
        PIPELINING,
        OPENING,
        GO_AHEAD,
        CONTENT,
        "S: 250 queued",
        OPENING,
        GO_AHEAD,
        CONTENT,
        REFUSED_TRIAL,
        OPENING,
    )
    talk.transcript(GO_AHEAD, CONTENT, "S: 250 queued", OPENING)
    assert talk.session.is_across_refused
    assert talk.moves == {1: DELIVERED, 2: DELIVERED, 3: DELIVERED}


def test_one_message_is_no_reason_to_try() -> None:
    talk = ClientTalk(mail(1), across=ContentPipelining.UNTRIED)
    talk.transcript(PIPELINING, OPENING, GO_AHEAD, CONTENT, "S: 250 queued")


def test_a_transaction_that_came_out_of_turn_begins_again_and_loses_nothing() -> None:
    """The server behind the address may be another than the one that bore it."""
    talk = ClientTalk(mail(1), mail(2), mail(3), across=ContentPipelining.BORNE)
    talk.transcript(
        PIPELINING,
        OPENING,
        GO_AHEAD,
        CONTENT,
        OPENING,
        "S: 250 queued\nS: 503 not now\nS: 503 not now\nS: 503 not now",
        OPENING,
        GO_AHEAD,
        CONTENT,
        "S: 250 queued",
        OPENING,
    )
    assert talk.moves == {1: DELIVERED, 2: DELIVERED}


def test_out_of_turn_and_yet_asked_for_content_it_begins_again_behind_the_end_mark() -> None:
    talk = ClientTalk(mail(1), mail(2), across=ContentPipelining.BORNE)
    talk.transcript(
        PIPELINING,
        OPENING,
        GO_AHEAD,
        CONTENT,
        OPENING,
        "S: 250 queued\nS: 503 not now\nS: 503 not now\nS: 354 go\nC: .\nS: 250 thanks",
        OPENING,
    )
    assert talk.moves == {1: DELIVERED}
    assert talk.outstanding == [2]


def test_out_of_turn_while_quitting_it_is_sent_before_quit() -> None:
    talk = ClientTalk(mail(1), mail(2), across=ContentPipelining.BORNE)
    talk.transcript(PIPELINING, OPENING, GO_AHEAD, CONTENT, OPENING)
    talk.session.quit()
    talk.transcript(
        "S: 250 queued\nS: 503 no\nS: 503 no\nS: 503 no",
        OPENING,
        GO_AHEAD,
        CONTENT,
        "S: 250 OK\nC: QUIT",
    )
    assert talk.moves == {1: DELIVERED, 2: DELIVERED}


def test_503_in_turn_is_no_reason_to_begin_again() -> None:
    talk = ClientTalk(mail(1), across=ContentPipelining.BORNE)
    talk.transcript(PIPELINING, OPENING, "S: 503 no\nS: 503 no\nS: 503 no")
    assert talk.moves == {1: {"b@b.example": RecipientMove.DEFERRED}}
