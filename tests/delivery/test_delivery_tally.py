"""The result of a message as a whole, and the counts of results."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.delivery.delivery_tally import DeliveryTally
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome, move_of

DELIVERED, DEFERRED, REFUSED = (
    RecipientMove.DELIVERED,
    RecipientMove.DEFERRED,
    RecipientMove.REFUSED,
)
UNCERTAIN, BOUNCED = RecipientMove.UNCERTAIN, RecipientMove.BOUNCED


def outcome(*moves: RecipientMove) -> MessageOutcome:
    return MessageOutcome(1, tuple(RecipientOutcome("u@b.example", move) for move in moves))


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([DELIVERED], DELIVERED),
        ([DELIVERED, DEFERRED], DEFERRED),
        ([DELIVERED, REFUSED], REFUSED),
        ([DEFERRED, REFUSED], REFUSED),
        ([DEFERRED, BOUNCED], REFUSED),
        ([REFUSED, UNCERTAIN], UNCERTAIN),
        ([DELIVERED, UNCERTAIN], UNCERTAIN),
    ],
)
def test_the_worst_recipient_decides_in_any_order(
    moves: list[RecipientMove], expected: RecipientMove
) -> None:
    assert move_of(outcome(*moves)) is expected
    assert move_of(outcome(*reversed(moves))) is expected


@given(st.lists(st.sampled_from([DELIVERED, DEFERRED, REFUSED, UNCERTAIN])))
def test_each_message_is_counted_once(moves: list[RecipientMove]) -> None:
    tally = DeliveryTally()
    for move in moves:
        tally.count(move)
    assert tally.tried == len(moves)
    counts = (tally.delivered, tally.deferred, tally.refused, tally.uncertain)
    assert counts == tuple(map(moves.count, (DELIVERED, DEFERRED, REFUSED, UNCERTAIN)))
