"""When the outcomes of an attempt end it."""

import pytest

from restante.delivery.attempt_end import AttemptKind
from restante.delivery.stop_rules import DEFERRED_LIMIT, StopRules
from restante.mail.reply_status import ReplyStatus, read_reply_status
from restante.queue.broken_destination import BrokenDestinationDetector
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    TransactionStage,
)


def deferred(
    reply: str, stage: TransactionStage = TransactionStage.RCPT, *others: RecipientMove
) -> MessageOutcome:
    moves = (RecipientMove.DEFERRED, *others)
    return MessageOutcome(
        1,
        tuple(
            RecipientOutcome("u@b", move, reply, stage, read_reply_status(reply)) for move in moves
        ),
    )


def test_ten_deferred_in_a_row_end_it_with_the_last_reply() -> None:
    rules = StopRules(BrokenDestinationDetector())
    stops = [rules.not_delivered(deferred(f"450 {n}")) for n in range(DEFERRED_LIMIT)]
    assert stops[:-1] == [None] * (DEFERRED_LIMIT - 1)
    assert stops[-1] is not None
    assert stops[-1].kind is AttemptKind.STOPPED
    assert stops[-1].reason.endswith("450 9")


@pytest.mark.parametrize("others", [(RecipientMove.REFUSED,), (RecipientMove.DELIVERED,)])
def test_one_deferred_in_part_begins_the_row_again(others: tuple[RecipientMove, ...]) -> None:
    rules = StopRules(BrokenDestinationDetector())
    for _ in range(DEFERRED_LIMIT - 1):
        rules.not_delivered(deferred("450 later"))
    assert rules.not_delivered(deferred("450 later", TransactionStage.RCPT, *others)) is None
    assert rules.not_delivered(deferred("450 later")) is None


def test_a_delivered_one_begins_the_row_again() -> None:
    rules = StopRules(BrokenDestinationDetector())
    for _ in range(DEFERRED_LIMIT - 1):
        rules.not_delivered(deferred("450 later"))
    rules.delivered()
    assert rules.not_delivered(deferred("450 later")) is None


def test_a_rate_limit_ends_it_at_once() -> None:
    stop = StopRules(BrokenDestinationDetector()).not_delivered(
        deferred("450 slow down", TransactionStage.MAIL)
    )
    assert stop is not None
    assert stop.kind is AttemptKind.LIMITED
    assert "450 slow down" in stop.reason


def test_refusals_of_everything_end_it() -> None:
    rules = StopRules(BrokenDestinationDetector())
    refused = MessageOutcome(
        1,
        (
            RecipientOutcome(
                "u@b", RecipientMove.REFUSED, "554 no", TransactionStage.MAIL, ReplyStatus(554)
            ),
        ),
    )
    stops = [rules.answered(refused, 3) for _ in range(3)]
    assert [stop and stop.kind for stop in stops] == [None, None, AttemptKind.REFUSING]
