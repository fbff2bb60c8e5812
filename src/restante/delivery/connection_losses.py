"""When a lost connection is replaced at once. Pure.

    the connection was lost                            another takes its place
    -------------------------------------------------  --------------------------------------------
    by our own doing, or after it had taken mail       yes
    over no message                                    if the next one goes on more gently
    over a message, up to LOSSES_LIMIT times in a row  yes; more often where the destination is
                                                       known to take mail
    more often                                         no: the others deliver, or the attempt ends

A delivery begins the count again.
"""

from collections.abc import Callable
from typing import Final

from restante.delivery.link_plan import OURS, ConnectionEnd

LOSSES_LIMIT: Final = 4  # in a row, each over a message
LOSSES_LIMIT_KNOWN: Final = 10  # the same, where the destination has taken mail before


class ConnectionLosses:
    """Counts the losses of one attempt."""

    def __init__(self, takes_mail: Callable[[], bool]) -> None:
        """`takes_mail`: the destination is known to have taken mail."""
        self._takes_mail = takes_mail
        self._in_a_row = 0

    def delivered(self) -> None:
        """Count a message that was taken."""
        self._in_a_row = 0

    def is_replaced(self, end: ConnectionEnd) -> bool:
        """Count the end of a connection; return whether another takes its place at once."""
        if end.kind in OURS or end.came_after_mail:
            return True
        if end.in_doubt is None and not end.was_over_a_message:
            return end.goes_on_gentler
        self._in_a_row += 1
        return not self.are_too_many

    @property
    def are_too_many(self) -> bool:
        """Whether no lost connection is replaced any more."""
        return self._in_a_row > (LOSSES_LIMIT_KNOWN if self._takes_mail() else LOSSES_LIMIT)
