"""The numbers of the moves that history records, as a database has them."""

from collections.abc import Mapping
from typing import Final

from restante.queue.history import RECORDED
from restante.queue.recipient_status import RecipientMove

CODES: Final[Mapping[RecipientMove, int]] = {move: code for code, move in enumerate(RECORDED, 1)}
MOVES: Final[Mapping[int, RecipientMove]] = {code: move for move, code in CODES.items()}
