"""How long a batch waits for more mail. Pure.

Clients that were answered by the end of a batch come back soon, each at its own moment. If the
first of them began the next batch alone, the others would wait for its commit. There would be two
commits for each round of clients. So the next batch waits for as many mails as the last one
had at its end, but no longer than a few commits take. A single client waits for nobody.

A database on another machine is worth it: a commit there costs as much as several messages, on both
sides. A store in this process commits while others send, and waits for nobody.
"""

from typing import Final

MOST: Final = 0.02  # seconds
COMMITS: Final = 4.0  # clients share the processors with the servers, and need this long


class BatchGathering:
    """The wait of the next batch, from the last one. Times are in seconds, monotonic."""

    def __init__(self, commits: float = COMMITS) -> None:
        """`commits` is how many of them a batch waits at most."""
        self._commits = commits
        self._until = 0.0
        self._together = 0

    def end_batch(self, at: float, took: float, together: int) -> None:
        """Note the end of a batch, how long its commit took, and how many mails were here then."""
        self._until = at + min(took * self._commits, MOST)
        self._together = together

    def is_enough(self, mails: int) -> bool:
        """Return whether as many mails wait as are expected."""
        return mails >= self._together

    def seconds_left(self, at: float, mails: int) -> float:
        """Return how long the waiting mails wait for others."""
        return 0.0 if self.is_enough(mails) else max(0.0, self._until - at)
