"""Destinations to which nothing runs ahead of its replies for a while, because it went wrong there.

Running ahead is worth much on a long road and costs copies where connections break: all that is in a window is sent
again. So what went wrong is remembered, for each destination, in memory only: after a restart one window finds it out
again.

    ended without the server's leave       then, DATA
    -------------------------------------  ------------------------------------------
    in the probe, or before one window     for a day: it was the manner, most likely
    was settled
    later, with mail in the window         the second time within an hour, for an hour:
                                           the road is bad, and DATA makes fewer copies
"""

from collections.abc import Callable
from typing import Final

from restante.delivery.terms import ConnectionEnd, EndKind, Manner

_DAY: Final = 86400.0
_HOUR: Final = 3600.0


class Caution:
    """Kept as long as the process lives; as large as the number of destinations that gave cause."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is Unix time in seconds."""
        self._now = now
        self._until: dict[str, float] = {}
        self._lost_at: dict[str, float] = {}

    def applies(self, destination: str) -> bool:
        """Tell whether messages must go by DATA."""
        return self._until.get(destination, 0.0) > self._now()

    def learn(self, destination: str, end: ConnectionEnd) -> None:
        """Take how a connection ended."""
        if end.kind is not EndKind.BROKEN:
            return
        if end.manner in (Manner.PROBED, Manner.AHEAD_IN_VAIN):
            self._until[destination] = self._now() + _DAY
        elif end.manner is Manner.AHEAD and end.outstanding:
            self._count_loss(destination)

    def _count_loss(self, destination: str) -> None:
        now = self._now()
        if now - self._lost_at.get(destination, -_HOUR) < _HOUR:
            self._until[destination] = now + _HOUR
        self._lost_at[destination] = now
