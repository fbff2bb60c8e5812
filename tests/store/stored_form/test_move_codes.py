"""The numbers of moves never change: databases have them."""

from restante.queue.recipient_status import Move
from restante.store.stored_form.move_codes import CODES, MOVES


def test_each_move_has_the_number_that_it_always_had() -> None:
    assert CODES == {
        Move.DELIVERED: 1,
        Move.REFUSED: 2,
        Move.UNCERTAIN: 3,
        Move.BOUNCED: 4,
        Move.DELETED: 5,
        Move.EXPIRED: 6,
    }
    assert {code: move for move, code in CODES.items()} == MOVES
