"""A bounded line in which shares take turns. Pure.

Each entry belongs to a share: an address block, or an account. Shares take turns, each with
its oldest entry, so a share's first entry waits for at most one of every other share. When the
line is full, the newest entry of the largest share makes room for a smaller share. So nobody can
fill the line for others.
"""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_Waiting = TypeVar("_Waiting")


class FairLine(Generic[_Waiting]):
    """The entries by share. Shares are kept in the order of their turns."""

    def __init__(self) -> None:
        self._shares: dict[Hashable, deque[_Waiting]] = {}
        self._length = 0

    def __len__(self) -> int:
        """Return how many wait."""
        return self._length

    def enter(self, share: Hashable, entry: _Waiting, room: float) -> _Waiting | None:
        """Let one wait where `room` is how many may wait at once.

        Return the entry that gives way, which may be this one; None if there was room.
        """
        displaced = None
        if self._length >= room:
            largest = max(self._shares, key=lambda each: len(self._shares[each]), default=share)
            if self._waiting(largest) <= self._waiting(share) + 1:
                return entry
            displaced = self._shares[largest].pop()  # the share keeps at least one
            self._length -= 1
        self._shares.setdefault(share, deque()).append(entry)
        self._length += 1
        return displaced

    def next(self) -> _Waiting | None:
        """Take out the entry whose turn it is; None if nobody waits."""
        share = next(iter(self._shares), None)
        if share is None:
            return None
        waiting = self._shares.pop(share)
        entry = waiting.popleft()
        self._length -= 1
        if waiting:
            self._shares[share] = waiting  # behind all others
        return entry

    def remove(self, is_unwanted: Callable[[_Waiting], bool]) -> list[_Waiting]:
        """Take out what nobody waits for any more, and return it."""
        removed: list[_Waiting] = []
        shares = self._shares.items()
        self._shares = {}
        for share, waiting in shares:
            kept: deque[_Waiting] = deque()
            for entry in waiting:
                (removed if is_unwanted(entry) else kept).append(entry)
            if kept:
                self._shares[share] = kept
        self._length -= len(removed)
        return removed

    def _waiting(self, share: Hashable) -> int:
        return len(self._shares.get(share, ()))
