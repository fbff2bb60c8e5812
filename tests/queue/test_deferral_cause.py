"""Which deferrals are rate limits, and which are policies."""

import pytest

from restante.queue.deferral_cause import Hindrance, hindrance
from restante.queue.recipient_status import Move, RecipientOutcome, Stage


@pytest.mark.parametrize(
    ("stage", "reply", "expected"),
    [
        (Stage.MAIL, "450 4.7.1 Error: too much mail from 192.0.2.1", Hindrance.RATE),
        (Stage.MAIL, "451 try later", Hindrance.RATE),
        (Stage.MAIL, "452 4.3.1 Insufficient system storage", Hindrance.RATE),
        (
            Stage.MAIL,
            "450 4.1.8 <a@a.example>: Sender address rejected: Domain not found",
            Hindrance.NONE,
        ),
        (Stage.MAIL, "no reply to MAIL", Hindrance.NONE),
        (Stage.RCPT, "450 4.7.1 Error: too many recipients from 192.0.2.1", Hindrance.RATE),
        (
            Stage.RCPT,
            "450 4.7.25 Client host rejected: cannot find your hostname",
            Hindrance.POLICY,
        ),
        (Stage.RCPT, "450 4.2.1 receiving mail at a rate that prevents delivery", Hindrance.NONE),
        (Stage.RCPT, "451 greylisted", Hindrance.NONE),
        (Stage.CONTENT, "451 4.7.1 Greylisted", Hindrance.POLICY),
        (Stage.NONE, "450 4.7.1 too much", Hindrance.NONE),
    ],
)
def test_place_and_words_tell(stage: Stage, reply: str, expected: Hindrance) -> None:
    assert hindrance(RecipientOutcome("b@b.example", Move.DEFERRED, reply, stage)) is expected


def test_a_refusal_is_no_hindrance() -> None:
    assert (
        hindrance(RecipientOutcome("b@b", Move.REFUSED, "550 5.7.1 no", Stage.RCPT))
        is Hindrance.NONE
    )
