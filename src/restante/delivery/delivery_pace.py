"""How fast a drain's messages leave now, not since it began. Pure. Times are monotonic seconds.

A drain can wait for hours until its destination is back. So the messages of the last half minute
count, or those of the present attempt if it is younger. A destination that
limits its rate causes short attempts with pauses between them. They count together with the pauses:
without them, the end would seem near and never come.
"""

from collections import deque
from typing import Final

PACE_SECONDS: Final = 30  # that count


class DeliveryPace:
    """The pace of one drain."""

    def __init__(self) -> None:
        self._stretch_at: float | None = None  # begin of attempts that each delivered something
        self._stretch_count = 0
        self._attempt_at: float | None = None
        self._attempt_count = 0
        self._seconds: deque[tuple[int, int]] = deque()  # with the messages of each

    def begin_attempt(self, now: float) -> None:
        """Note that an attempt begins. After one that delivered nothing, all is new."""
        if not self._attempt_count:
            self._stretch_at, self._stretch_count = now, 0
        self._attempt_at, self._attempt_count = now, 0
        self._seconds.clear()

    def delivered(self, now: float) -> None:
        """Count a message."""
        if self._attempt_at is None:
            self.begin_attempt(now)
        self._stretch_count += 1
        self._attempt_count += 1
        second = int(now)
        count = self._seconds.pop()[1] if self._seconds and self._seconds[-1][0] == second else 0
        self._seconds.append((second, count + 1))
        while self._seconds[0][0] <= second - PACE_SECONDS:
            self._seconds.popleft()

    def rate(self, now: float) -> float:
        """Return messages a second."""
        if self._stretch_at is None or self._attempt_at is None:
            return 0.0
        begin = self._attempt_at
        is_paused_often = self._stretch_count > self._attempt_count
        if is_paused_often and now - begin < PACE_SECONDS:
            return self._stretch_count / max(now - self._stretch_at, 1.0)
        first = int(now) - PACE_SECONDS + 1
        count = sum(some for second, some in self._seconds if second >= first)
        return count / max(now - max(begin, first), 1.0)
