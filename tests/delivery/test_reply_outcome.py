"""The table of delivery/reply_outcome.py, row by row."""

import pytest

from restante.delivery.reply_outcome import obstacle, outcome_of, session_complaint
from restante.mail.message import HeldMessage
from restante.queue.recipient_status import RecipientMove, RecipientOutcome
from restante.smtp.client_transaction import ClientTransaction
from restante.smtp.ehlo_offer import NO_OFFER, EhloOffer
from restante.smtp.peer_replies import ServerReply
from tests.smtp.client_talk import mail

OK = ServerReply(250, (b"OK",))
GO = ServerReply(354, (b"go",))


def reply(text: str) -> ServerReply:
    code, _, words = text.partition(" ")
    return ServerReply(int(code), (words.encode(),))


def answered(message: HeldMessage, **replies: str) -> ClientTransaction:
    """Make a transaction that went well but for the steps named."""
    transaction = ClientTransaction(message)
    transaction.mail = reply(replies["mail"]) if "mail" in replies else OK
    first = reply(replies["rcpt"]) if "rcpt" in replies else OK
    transaction.recipients = [first, *[OK] * (len(message.envelope.forward_paths) - 1)]
    transaction.data = reply(replies["data"]) if "data" in replies else GO
    transaction.content = reply(replies["content"]) if "content" in replies else OK
    return transaction


def moves(transaction: ClientTransaction) -> list[RecipientMove]:
    return [recipient.move for recipient in outcome_of(transaction).recipients]


def test_delivered_is_a_250_to_every_step() -> None:
    outcome = outcome_of(answered(mail(7)))
    assert outcome.number == 7
    assert outcome.recipients == (
        RecipientOutcome("b@b.example", RecipientMove.DELIVERED, "250 OK"),
    )


TWO = mail(1, "a@b.example", "b@b.example")
ALL, FIRST = 2, 1
TABLE = [
    ("mail", "451 4.3.0 later", RecipientMove.DEFERRED, ALL),
    ("mail", "550 5.7.1 no", RecipientMove.REFUSED, ALL),
    ("mail", "501 5.1.7 bad address", RecipientMove.REFUSED, ALL),
    ("mail", "530 5.7.0 authenticate", RecipientMove.DEFERRED, ALL),
    ("rcpt", "450 4.2.1 later", RecipientMove.DEFERRED, FIRST),
    ("rcpt", "452 4.5.3 too many", RecipientMove.DEFERRED, FIRST),
    ("rcpt", "552 too many", RecipientMove.DEFERRED, FIRST),
    ("rcpt", "550 5.5.3 too many recipients", RecipientMove.DEFERRED, FIRST),
    ("rcpt", "550 5.1.1 nobody", RecipientMove.REFUSED, FIRST),
    ("rcpt", "503 what?", RecipientMove.DEFERRED, FIRST),
    ("data", "451 later", RecipientMove.DEFERRED, ALL),
    ("data", "554 no", RecipientMove.REFUSED, ALL),
    ("data", "503 what?", RecipientMove.DEFERRED, ALL),
    ("content", "452 disk full", RecipientMove.DEFERRED, ALL),
    ("content", "554 5.6.0 virus", RecipientMove.REFUSED, ALL),
    ("content", "552 5.3.4 too big", RecipientMove.REFUSED, ALL),
    ("content", "500 Line too long (see RFC5321 4.5.3.1.6)", RecipientMove.REFUSED, ALL),
    ("content", "503 what?", RecipientMove.REFUSED, ALL),
    ("content", "530 5.7.0 authenticate", RecipientMove.DEFERRED, ALL),
    ("content", "550 5.7.11 use TLS", RecipientMove.DEFERRED, ALL),
    ("content", "299 hm", RecipientMove.DEFERRED, ALL),
    ("data", "250 hm", RecipientMove.DEFERRED, ALL),
]


@pytest.mark.parametrize(("step", "text", "move", "reach"), TABLE)
def test_each_row(step: str, text: str, move: RecipientMove, reach: int) -> None:
    transaction = answered(TWO, **{step: text})
    assert moves(transaction) == [move] * reach + [RecipientMove.DELIVERED] * (2 - reach)
    assert outcome_of(transaction).recipients[0].reply == text


@pytest.mark.parametrize(
    ("text", "move"),
    [
        ("500 line too long", RecipientMove.REFUSED),
        ("502 what?", RecipientMove.DEFERRED),
        ("503 what?", RecipientMove.DEFERRED),
    ],
)
def test_in_a_reply_to_bdat_the_codes_for_unknown_commands_are_about_the_command(
    text: str, move: RecipientMove
) -> None:
    transaction = answered(TWO, content=text)
    transaction.is_chunked = True
    assert moves(transaction) == [move] * 2


@pytest.mark.parametrize("step", ["mail", "recipients", "data", "content"])
def test_without_a_reply_nobody_is_delivered(step: str) -> None:
    transaction = answered(TWO)
    setattr(transaction, step, [] if step == "recipients" else None)
    assert moves(transaction) == [RecipientMove.DEFERRED] * 2


def test_one_recipients_refusal_is_not_anothers() -> None:
    transaction = answered(TWO, rcpt="550 nobody", content="451 later")
    assert moves(transaction) == [RecipientMove.REFUSED, RecipientMove.DEFERRED]


@pytest.mark.parametrize(
    ("replies", "complaint"),
    [
        ({"mail": "530 5.7.0 authenticate"}, "530 5.7.0 authenticate"),
        ({"rcpt": "550 5.7.10 encrypt"}, "550 5.7.10 encrypt"),
        ({"content": "502 what?"}, ""),
        ({"content": "535 who?"}, "535 who?"),
        ({"mail": "501 bad address"}, ""),
        ({"mail": "450 5.7.8 odd"}, ""),
        ({"mail": "550 no", "rcpt": "503 what?", "data": "503 what?"}, ""),
        ({}, ""),
    ],
)
def test_only_a_decisive_complaint_ends_the_session(
    replies: dict[str, str], complaint: str
) -> None:
    assert session_complaint(answered(TWO, **replies)) == complaint


@pytest.mark.parametrize(
    ("message", "offer", "said"),
    [
        (mail(1), NO_OFFER, None),
        (mail(1, is_8bit=True), NO_OFFER, None),
        (mail(1)._replace(goes_in_a_circle=True), NO_OFFER, "554 5.4.6"),
        (mail(1, needs_smtputf8=True), NO_OFFER, "550 5.6.7"),
        (mail(1, "ü@b.example"), NO_OFFER, "550 5.6.7"),
        (mail(1, reverse_path="ü@a.example"), NO_OFFER, "550 5.6.7"),
        (mail(1, "ü@b.example"), EhloOffer(has_smtputf8=True), None),
        (mail(1, content=b"x" * 11), EhloOffer(has_size=True, size_limit=10), "552 5.3.4"),
        (mail(1, content=b"x" * 10), EhloOffer(has_size=True, size_limit=10), None),
        (mail(1, content=b"x" * 10), EhloOffer(has_size=True), None),
        (mail(1, '"a b>"@b.example', reverse_path='"a\\"b"@a.example'), NO_OFFER, None),
    ],
)
def test_unsendable_mail_is_refused_without_asking(
    message: HeldMessage, offer: EhloOffer, said: str | None
) -> None:
    found = obstacle(message, offer, "p.example:25")
    assert (str(found)[:9] if found else None) == said


def test_too_many_recipients_said_of_the_only_one_is_a_refusal() -> None:
    """It would be deferred endlessly otherwise."""
    alone = answered(mail(1, "a@b.example"), rcpt="550 5.5.3 too many recipients")
    assert moves(alone) == [RecipientMove.REFUSED]
