"""Messages are counted once each, by their worst recipient."""

from restante.delivery.delivery_tally import DeliveryTally, move_of
from restante.queue.recipient_status import Move, Outcome, RecipientOutcome


def outcome(*moves: Move) -> Outcome:
    return Outcome(1, tuple(RecipientOutcome("u@b.example", move, "") for move in moves))


def test_uncertain_messages_are_not_among_the_refused() -> None:
    tally = DeliveryTally()
    for moves in (
        (Move.DELIVERED,),
        (Move.DELIVERED, Move.DEFERRED),
        (Move.DEFERRED, Move.REFUSED),
        (Move.BOUNCED,),
        (Move.REFUSED, Move.UNCERTAIN),
    ):
        tally.count(move_of(outcome(*moves)))
    assert (tally.delivered, tally.deferred, tally.refused, tally.uncertain) == (1, 1, 2, 1)
    assert tally.tried == 5
