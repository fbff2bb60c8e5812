"""The table of moves of a recipient, walked and compared with its rules."""

import pytest

from restante.queue.recipient_status import (
    MOVES,
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    RecipientStatus,
)

HELD, GONE = RecipientStatus.HELD, RecipientStatus.GONE
SET_APART = (RecipientStatus.REFUSED, RecipientStatus.UNCERTAIN, RecipientStatus.DAMAGED)
BY_A_PERSON = {RecipientMove.RELEASED_AGAIN, RecipientMove.DELETED, RecipientMove.BOUNCED}


def outcome(*moves: RecipientMove, is_ours: bool = False) -> MessageOutcome:
    recipients = tuple(RecipientOutcome("u@b.example", move) for move in moves)
    return MessageOutcome(1, recipients, is_ours=is_ours)


def test_every_status_has_its_moves_and_every_move_starts_somewhere() -> None:
    assert MOVES.keys() == set(RecipientStatus)
    assert {move for moves in MOVES.values() for move in moves} == set(RecipientMove)


def test_a_recipient_that_is_gone_never_returns() -> None:
    assert MOVES[GONE] == {}


@pytest.mark.parametrize("status", SET_APART)
def test_mail_set_apart_leaves_only_after_it_is_released_again(status: RecipientStatus) -> None:
    assert MOVES[status][RecipientMove.RELEASED_AGAIN] is HELD
    assert RecipientMove.DELIVERED not in MOVES[status]
    assert {
        to for move, to in MOVES[status].items() if move is not RecipientMove.RELEASED_AGAIN
    } == {GONE}


def test_only_a_person_decides_about_an_uncertain_recipient() -> None:
    assert MOVES[RecipientStatus.UNCERTAIN].keys() == BY_A_PERSON


def test_from_every_status_a_recipient_can_reach_its_end() -> None:
    for status in RecipientStatus:
        reached, found = {status}, {status}
        while found:
            found = {to for one in found for to in MOVES[one].values()} - reached
            reached |= found
        assert GONE in reached


@pytest.mark.parametrize(
    ("tried", "is_delivered", "is_refused"),
    [
        (outcome(RecipientMove.DELIVERED), True, False),
        (outcome(RecipientMove.DELIVERED, RecipientMove.DELIVERED), True, False),
        (outcome(RecipientMove.DELIVERED, RecipientMove.REFUSED), False, False),
        (outcome(RecipientMove.DELIVERED, RecipientMove.DEFERRED), False, False),
        (outcome(RecipientMove.REFUSED), False, True),
        (outcome(RecipientMove.REFUSED, RecipientMove.UNCERTAIN), False, True),
        (outcome(RecipientMove.REFUSED, RecipientMove.DEFERRED), False, False),
        (outcome(RecipientMove.BOUNCED), False, False),
        (outcome(RecipientMove.REFUSED, is_ours=True), False, False),
    ],
)
def test_an_outcome_is_delivered_or_refused_as_a_whole(
    tried: MessageOutcome, is_delivered: bool, is_refused: bool
) -> None:
    assert (tried.is_delivered, tried.is_refused) == (is_delivered, is_refused)
