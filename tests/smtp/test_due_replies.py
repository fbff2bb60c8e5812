"""Replies answer what has left, in its order."""

from restante.smtp.client_transaction import (
    ACROSS,
    EHLO,
    GREETING,
    MAIL,
    NOOP,
    QUIT,
    RCPT,
    RSET,
    ClientTransaction,
)
from restante.smtp.due_replies import DueReplies
from tests.smtp.client_talk import mail


def greeted() -> DueReplies:
    due = DueReplies(GREETING)
    due.take()
    return due


def test_the_greeting_needs_nothing_of_ours() -> None:
    due = DueReplies(GREETING)
    assert (due.awaited, due.answerable, due.data_to_send()) == (GREETING, 1, b"")


def test_nothing_can_be_answered_before_it_has_left() -> None:
    due = greeted()
    due.send(b"EHLO a\r\n", EHLO)
    assert (due.awaited, due.answerable) == (EHLO, 0)
    assert due.data_to_send() == b"EHLO a\r\n"
    due.send(b"NOOP\r\n", NOOP)
    assert (len(due), due.answerable) == (2, 1)
    due.take()
    assert (due.awaited, due.answerable, due.taken) == (NOOP, 0, 2)


def test_what_must_be_written_is_given_once_and_whole() -> None:
    due = greeted()
    due.send_all(b"RSET\r\nNOOP\r\n", (RSET, NOOP))
    due.write(b"and more")
    assert due.outgoing_octets == len(b"RSET\r\nNOOP\r\nand more")
    assert due.data_to_send() == b"RSET\r\nNOOP\r\nand more"
    assert (due.outgoing_octets, due.data_to_send(), due.answerable) == (0, b"", 2)


def test_more_replies_to_what_has_left_can_come_at_once() -> None:
    due = greeted()
    due.add_answerable((RSET, NOOP))
    assert (due.answerable, due.last) == (2, NOOP)


def test_each_transaction_is_named_by_the_steps_that_wait() -> None:
    due, one, other = greeted(), ClientTransaction(mail()), ClientTransaction(mail())
    due.send(b"MAIL\r\n", MAIL, one)
    due.send(b"RSET\r\n", RSET)
    due.send(b"RCPT\r\n", RCPT, other)
    assert due.transactions() == [one, other]
    assert (due.ends_with(one), due.ends_with(other)) == (False, True)
    assert (due.has(RSET), due.has(QUIT)) == (True, False)


def test_a_command_behind_content_is_answered_at_once_or_never() -> None:
    one = ClientTransaction(mail())
    for is_across in (False, True):
        due = greeted()
        assert not due.awaits_across
        one.is_across = is_across
        due.send(b"MAIL\r\n", MAIL, one)
        assert due.awaits_across is is_across
    due = greeted()
    due.send(b"RSET\r\n", ACROSS)
    assert due.awaits_across


def test_nothing_is_awaited_when_all_was_answered() -> None:
    due = greeted()
    assert (due.awaited, due.last, due.transactions()) == (None, None, [])
    assert not due.ends_with(ClientTransaction(mail()))
