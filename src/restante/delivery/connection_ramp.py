"""How many connections an attempt may have: one at first, soon a few, many only where they help.

    one at first    or as many as in the last drain, if that went well; a few as soon as a message
                    got through
    over distance   as many as keep the destination busy, together, as soon as a large window has
                    shown how many that are; once
    beyond          twice as many if the present ones were worth it: at least a quarter more
                    messages a second than half as many had carried, measured over a quarter of a
                    second and two bursts of each
    one was lost    as many as are left, until enough messages got through to try another

On a fast path, a few connections carry all that the destination can take. More would only use up
slots that it has for others. On a path with a long delay, each one carries little, however fast
both ends are. There, the time of a window is mostly that of the path, and the destination is idle
meanwhile. `connections_needed` divides that time by the time that the destination needs.

Where connections were refused lately, their number is not exceeded in one step
(drain_experience.py).
"""

from math import ceil
from typing import Final

FREELY: Final = 4  # connections
MANY: Final = 1000  # connections: more than anybody allows
WORTH_IT: Final = 1.25
MEASURED_FOR: Final = 0.25  # seconds
_BURSTS: Final = 2  # for each connection: pipelined replies come in bursts, so fewer are chance
_PAUSE: Final = 500  # messages to be delivered after a connection was lost before another is tried


def connections_needed(round_trip: float, window: float) -> int:
    """Return how many connections keep a destination busy, each with a window of so many seconds.

    The destination works for the part of the window that the round trip leaves.
    """
    busy = window - round_trip
    return MANY if busy <= window / MANY else ceil(window / busy)


class ConnectionRamp:
    """The ramp of one attempt. Times are of a monotonic clock, in seconds."""

    def __init__(self, most: int, first: int = 1, at_once: int | None = None) -> None:
        """`most` is the destination's number of connections, of which `first` are made at once.

        `at_once`: the most that are made because a window has shown the need; None: all.
        """
        self.wanted = first
        self._most = most
        self._at_once = most if at_once is None else min(at_once, most)
        self._freely = FREELY
        self._delivered = 0  # since the last step
        self._began_at: float | None = None  # all of this step were up
        self._rate = 0.0  # messages a second, of the step before
        self._is_over = False

    @property
    def is_settled(self) -> bool:
        """Whether no delivered message can make it want more: `deliver` need not be called."""
        return self._is_over or self.wanted >= self._most

    def need(self, connections: int) -> bool:
        """Want as many as a large window has shown to be needed; return whether these are more.

        That happens once, and not after a connection was lost.
        """
        wanted, self._at_once = min(connections, self._at_once), 0
        if wanted <= self.wanted:
            return False
        self._begin_step(wanted)
        return True

    def deliver(self, connections: int, now: float, together: int = 1) -> bool:
        """Count a delivered message; return whether more connections are wanted now.

        `connections` are up; each gets its replies for `together` messages together.
        """
        if connections < self.wanted:
            return False
        if self._began_at is None:
            self._began_at = now
        self._delivered += 1
        if self.is_settled or self._delivered < self.wanted:
            return False
        if self.wanted >= FREELY and not self._has_paid(now - self._began_at, together):
            return False
        self._begin_step(min(max(2 * self.wanted, self._freely), self._most))
        return True

    def widen(self) -> bool:
        """Want one more, because the others are slow; return False if there are enough."""
        if self.wanted >= self._most:
            return False
        self._begin_step(self.wanted + 1)
        return True

    def lose(self, left: int) -> None:
        """Record a lost connection while others work: the destination has shown its limit."""
        self._begin_step(left)
        self._delivered = -_PAUSE
        self._freely = self._at_once = 0

    def _has_paid(self, seconds: float, together: int) -> bool:
        if seconds < MEASURED_FOR or self._delivered < _BURSTS * together * self.wanted:
            return False
        before, self._rate = self._rate, self._delivered / seconds
        self._is_over = self._rate < WORTH_IT * before
        return not self._is_over

    def _begin_step(self, wanted: int) -> None:
        self.wanted = wanted
        self._delivered = 0
        self._began_at = None
