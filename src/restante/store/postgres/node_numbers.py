"""Numbers for new messages that several processes give without asking each other.

A number is the time in microseconds, and then the slot of the process (`cluster_node`): 8 bits. So
two processes never give the same one, and numbers grow about with time.
"""

from typing import Final

from restante.mail.message import NUMBERS_A_SECOND, MessageNumbers

SLOT_BITS: Final = 8
A_SECOND: Final = NUMBERS_A_SECOND << SLOT_BITS  # numbers that are passed over with the time
_HIGHEST: Final = 2**63 - 1  # that the database can have


def last_number(moment: float) -> int:
    """Return the highest number that any process gives at a moment, Unix time."""
    of_no_process = max(0, int(min(moment, 2.0**40) * NUMBERS_A_SECOND)) << SLOT_BITS
    return min(_HIGHEST, of_no_process | (1 << SLOT_BITS) - 1)


class NodeNumbers(MessageNumbers):
    """The numbers of one process."""

    def __init__(self, slot: int, last: int = 0) -> None:
        super().__init__(last)
        self._slot = slot

    def next(self, now: float) -> int:
        """Return a number with this slot that is higher than all before; `now` is Unix time."""
        moment = max((self.last >> SLOT_BITS) + 1, int(now * NUMBERS_A_SECOND))
        number = moment << SLOT_BITS | self._slot
        self.pass_over(number)
        return number
