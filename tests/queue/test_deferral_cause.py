"""Which deferrals are rate limits, and which are policies."""

import pytest

from restante.queue.deferral_cause import Hindrance, hindrance
from restante.queue.recipient_status import RecipientMove, RecipientOutcome, TransactionStage


@pytest.mark.parametrize(
    ("stage", "reply", "expected"),
    [
        (TransactionStage.MAIL, "450 4.7.1 Error: too much mail from 192.0.2.1", Hindrance.RATE),
        (TransactionStage.MAIL, "451 try later", Hindrance.RATE),
        (TransactionStage.MAIL, "452 4.3.1 Insufficient system storage", Hindrance.RATE),
        (
            TransactionStage.MAIL,
            "450 4.1.8 <a@a.example>: Sender address rejected: Domain not found",
            None,
        ),
        (TransactionStage.MAIL, "no reply to MAIL", None),
        (
            TransactionStage.RCPT,
            "450 4.7.1 Error: too many recipients from 192.0.2.1",
            Hindrance.RATE,
        ),
        (
            TransactionStage.RCPT,
            "450 4.7.25 Client host rejected: cannot find your hostname",
            Hindrance.POLICY,
        ),
        (
            TransactionStage.RCPT,
            "450 4.2.1 receiving mail at a rate that prevents delivery",
            None,
        ),
        (TransactionStage.RCPT, "451 greylisted", None),
        (TransactionStage.CONTENT, "451 4.7.1 Greylisted", Hindrance.POLICY),
        (TransactionStage.NONE, "450 4.7.1 too much", None),
    ],
)
def test_place_and_words_tell(
    stage: TransactionStage, reply: str, expected: Hindrance | None
) -> None:
    assert (
        hindrance(RecipientOutcome("b@b.example", RecipientMove.DEFERRED, reply, stage)) is expected
    )


def test_a_refusal_is_no_hindrance() -> None:
    assert (
        hindrance(
            RecipientOutcome("b@b", RecipientMove.REFUSED, "550 5.7.1 no", TransactionStage.RCPT)
        )
        is None
    )
