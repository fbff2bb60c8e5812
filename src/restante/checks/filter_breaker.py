"""When a filter that fails is asked again. Pure.

After FAILURES_UNTIL_AWAY failures in a row, the filter counts as away, and is not asked. So mail
does not wait for it again and again. After a pause, one message at a time asks it. The pause
doubles with each failure, up to LONGEST_PAUSE. The first answer ends it.
"""

from enum import Enum
from typing import Final

FAILURES_UNTIL_AWAY: Final = 3
FIRST_PAUSE: Final = 5.0  # seconds
LONGEST_PAUSE: Final = 60.0


class FilterTurn(Enum):
    """Whether a message may ask the filter."""

    ASK = "ask"
    PROBE = "probe"  # it alone; tell its end, or give the turn back
    SKIP = "skip"


class FilterBreaker:
    """The state of one filter. Times are monotonic, in seconds."""

    def __init__(self) -> None:
        self._failures = 0  # in a row
        self._away_since: float | None = None
        self._next_try = 0.0
        self._pause = FIRST_PAUSE
        self._is_probed = False

    @property
    def is_away(self) -> bool:
        """Whether the filter counts as away."""
        return self._away_since is not None

    def turn(self, now: float) -> FilterTurn:
        """Return whether a message may ask now."""
        if self._away_since is None:
            return FilterTurn.ASK
        if self._is_probed or now < self._next_try:
            return FilterTurn.SKIP
        self._is_probed = True
        return FilterTurn.PROBE

    def answered(self, now: float) -> float | None:
        """Note an answer. Return for how long the filter was away, None if it was not."""
        since = self._away_since
        self._failures, self._away_since, self._is_probed = 0, None, False
        self._pause = FIRST_PAUSE
        return None if since is None else now - since

    def failed(self, turn: FilterTurn, now: float) -> bool:
        """Note a failure. Return whether the filter counts as away from now on."""
        if self._away_since is not None:
            if turn is FilterTurn.PROBE:
                self._is_probed = False
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
                self._next_try = now + self._pause
            return False
        self._failures += 1
        if self._failures < FAILURES_UNTIL_AWAY:
            return False
        self._away_since, self._next_try = now, now + self._pause
        return True

    def give_back(self, turn: FilterTurn) -> None:
        """Note that a message needs no answer any more, or that its failure says nothing."""
        if turn is FilterTurn.PROBE:
            self._is_probed = False
