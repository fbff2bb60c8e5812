"""One transaction of the client: its commands, and the meaning of its replies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage
from restante.smtp.client_transaction import (
    ClientTransaction,
    is_safe_path,
    needs_smtputf8,
    opening_commands,
)
from restante.smtp.commands import Mail, Rcpt, parse_command
from restante.smtp.ehlo_offer import NO_OFFER, EhloOffer
from restante.smtp.peer_replies import ServerReply

ALL = EhloOffer(has_size=True, has_8bitmime=True, has_smtputf8=True)


def message(reverse_path: str, *paths: str, **envelope: Any) -> HeldMessage:
    return HeldMessage(1, 1, Envelope(reverse_path, paths, **envelope), 0.0, b"x" * 77)


def reply(code: int) -> ServerReply:
    return ServerReply(code, (b"words",))


def answered(
    mail: int, recipients: list[int], data: int = 0, content: int = 0
) -> ClientTransaction:
    """Return a transaction with these replies; 0 is none."""
    transaction = ClientTransaction(message("a@a.example", *(f"{n}@b" for n in recipients)))
    transaction.mail = reply(mail)
    transaction.recipients = [reply(code) for code in recipients]
    transaction.data = reply(data) if data else None
    transaction.content = reply(content) if content else None
    return transaction


@pytest.mark.parametrize(
    ("offer", "held", "mail"),
    [
        (NO_OFFER, message("", "b@b.example", is_8bit=True), "MAIL FROM:<>"),
        (ALL, message("", "b@b.example"), "MAIL FROM:<> SIZE=77"),
        (
            ALL,
            message("a@a.example", "b@b.example", is_8bit=True, needs_smtputf8=True),
            "MAIL FROM:<a@a.example> SIZE=77 BODY=8BITMIME SMTPUTF8",
        ),
        (ALL, message("", "bücher@b.example"), "MAIL FROM:<> SIZE=77 SMTPUTF8"),
        (
            EhloOffer(has_smtputf8=True),
            message("a@bücher.example", "b@b.example"),
            "MAIL FROM:<a@bücher.example> SMTPUTF8",
        ),
    ],
)
def test_only_parameters_that_the_server_offers_are_named(
    offer: EhloOffer, held: HeldMessage, mail: str
) -> None:
    (_, first), *rest = opening_commands(held, offer)
    assert first.decode() == f"{mail}\r\n"
    path = held.envelope.forward_paths[0]
    assert [line.decode() for _, line in rest] == [f"RCPT TO:<{path}>\r\n"]


@pytest.mark.parametrize(
    "path", ["a>", "<a", "a b@c", "a\r\nDATA", "a\n", '"a\r"@b', '"a', "\ud800", "a\x7f"]
)
def test_a_path_that_would_become_something_else_is_not_sent(path: str) -> None:
    assert not is_safe_path(path)
    for held in (message(path, "b@b.example"), message("", "b@b.example", path)):
        with pytest.raises(ValueError, match="cannot be sent"):
            opening_commands(held, ALL)


@pytest.mark.parametrize("path", ["", "a@b", '"a b>"@c', '"\\""@c', "ü@b", "postmaster"])
def test_any_other_path_is_sent(path: str) -> None:
    assert is_safe_path(path)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_path_is_two_commands_or_none(reverse_path: str, path: str) -> None:
    held = message(reverse_path, path)
    try:
        commands = opening_commands(held, EhloOffer(has_smtputf8=True))
    except ValueError:
        assert not (is_safe_path(reverse_path) and is_safe_path(path))
        return
    stream = b"".join(line for _, line in commands)
    assert stream.count(b"\n") == stream.count(b"\r") == stream.count(b"\r\n") == 2


@given(st.from_regex(r"[a-z.+]{1,9}@[a-z]{1,9}\.example", fullmatch=True))
def test_our_own_server_reads_the_same_path(path: str) -> None:
    mail, rcpt = [
        parse_command(line.removesuffix(b"\r\n"))
        for _, line in opening_commands(message(path, path), NO_OFFER)
    ]
    assert isinstance(mail, Mail)
    assert isinstance(rcpt, Rcpt)
    assert str(mail.reverse_path) == str(rcpt.forward_path) == path


@pytest.mark.parametrize(
    ("transaction", "has_recipients", "is_delivered", "is_left_open"),
    [
        (answered(250, [250, 250], 354, 250), True, True, False),
        (answered(250, [250, 550], 354, 250), True, False, False),
        (answered(250, [250], 354, 451), True, False, False),
        (answered(250, [250], 451), True, False, True),
        (answered(250, [550, 450]), False, False, True),
        (answered(550, [503]), False, False, False),
        (answered(250, []), False, False, True),
    ],
)
def test_replies_show_whether_it_was_taken_or_is_left_open(
    transaction: ClientTransaction, *, has_recipients: bool, is_delivered: bool, is_left_open: bool
) -> None:
    assert transaction.has_recipients is has_recipients
    assert transaction.is_delivered is is_delivered
    assert transaction.is_left_open is is_left_open


@pytest.mark.parametrize(("code", "is_out_of_turn"), [(503, True), (450, False), (250, False)])
def test_503_to_a_mail_that_followed_content_means_that_it_came_too_early(
    code: int, *, is_out_of_turn: bool
) -> None:
    transaction = answered(code, [])
    assert not transaction.is_out_of_turn
    transaction.is_across = True
    assert transaction.is_out_of_turn is is_out_of_turn
    transaction.start_again()
    assert (transaction.mail, transaction.is_across) == (None, False)


@pytest.mark.parametrize(
    ("held", "needs"),
    [
        (message("", "b@b.example"), False),
        (message("", "b@b.example", needs_smtputf8=True), True),
        (message("ü@a.example", "b@b.example"), True),
        (message("", "b@b.example", "ü@b.example"), True),
    ],
)
def test_a_server_without_smtputf8_must_not_get_it(held: HeldMessage, *, needs: bool) -> None:
    assert needs_smtputf8(held) is needs
