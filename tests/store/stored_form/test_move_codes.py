"""The numbers of moves never change: databases have them."""

from restante.queue.recipient_status import RecipientMove
from restante.store.stored_form.move_codes import CODES, MOVES


def test_each_move_has_the_number_that_it_always_had() -> None:
    assert CODES == {
        RecipientMove.DELIVERED: 1,
        RecipientMove.REFUSED: 2,
        RecipientMove.UNCERTAIN: 3,
        RecipientMove.BOUNCED: 4,
        RecipientMove.DELETED: 5,
        RecipientMove.EXPIRED: 6,
    }
    assert {code: move for move, code in CODES.items()} == MOVES
