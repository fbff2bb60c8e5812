"""Which deferrals are rate limits, and which are policies."""

import pytest

from restante.mail.reply_status import read_reply_status
from restante.queue.deferral_cause import (
    DeferralCause,
    concerns_mailbox,
    hindrance,
    takes_few_at_once,
)
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    TransactionStage,
)


def answered(move: RecipientMove, reply: str, stage: TransactionStage) -> RecipientOutcome:
    return RecipientOutcome("b@b.example", move, reply, stage, read_reply_status(reply))


@pytest.mark.parametrize(
    ("stage", "reply", "expected"),
    [
        (
            TransactionStage.MAIL,
            "450 4.7.1 Error: too much mail from 192.0.2.1",
            DeferralCause.RATE,
        ),
        (TransactionStage.MAIL, "451 try later", DeferralCause.RATE),
        (TransactionStage.MAIL, "452 4.3.1 Insufficient system storage", DeferralCause.RATE),
        (
            TransactionStage.MAIL,
            "450 4.1.8 <a@a.example>: Sender address rejected: Domain not found",
            None,
        ),
        (TransactionStage.MAIL, "no reply to MAIL", None),
        (
            TransactionStage.RCPT,
            "450 4.7.1 Error: too many recipients from 192.0.2.1",
            DeferralCause.RATE,
        ),
        (
            TransactionStage.RCPT,
            "450 4.7.25 Client host rejected: cannot find your hostname",
            DeferralCause.POLICY,
        ),
        (
            TransactionStage.RCPT,
            "450 4.2.1 receiving mail at a rate that prevents delivery",
            None,
        ),
        (TransactionStage.RCPT, "451 greylisted", None),
        (TransactionStage.CONTENT, "451 4.7.1 Greylisted", DeferralCause.POLICY),
    ],
)
def test_place_and_words_tell(
    stage: TransactionStage, reply: str, expected: DeferralCause | None
) -> None:
    assert hindrance(answered(RecipientMove.DEFERRED, reply, stage)) is expected


def test_a_refusal_is_no_hindrance() -> None:
    assert hindrance(answered(RecipientMove.REFUSED, "550 5.7.1 no", TransactionStage.RCPT)) is None


def test_words_of_our_own_that_look_like_a_reply_are_none() -> None:
    ours = RecipientOutcome("b@b.example", RecipientMove.DEFERRED, "450 4.7.1 too much")
    assert hindrance(ours) is None
    assert not concerns_mailbox(ours)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("450 4.1.8 sender unknown", True),
        ("450 4.2.2 mailbox full", True),
        ("450 4.2.0 greylisted", False),
        ("450 4.20.1 what", False),
        ("450 5.1.1 the classes differ", False),
        ("450 busy", False),
    ],
)
def test_a_mailbox_is_named_by_the_enhanced_code(reply: str, expected: bool) -> None:
    one = answered(RecipientMove.DEFERRED, reply, TransactionStage.RCPT)
    assert concerns_mailbox(one) is expected
    assert not concerns_mailbox(one._replace(stage=TransactionStage.CONTENT))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("452 too many recipients", True),
        ("552 too many recipients", True),
        ("452 4.5.3 too many", True),
        ("451 4.5.3 too many", True),
        ("550 5.5.3 too many", True),
        ("452 4.3.1 no room", False),
        ("450 busy", False),
    ],
)
def test_too_many_at_once_is_seen_where_others_were_taken(reply: str, expected: bool) -> None:
    late = answered(RecipientMove.DEFERRED, reply, TransactionStage.RCPT)
    taken = RecipientOutcome("a@b.example", RecipientMove.DELIVERED)
    assert takes_few_at_once(MessageOutcome(1, (taken, late))) is expected
    assert not takes_few_at_once(MessageOutcome(1, (late,)))
