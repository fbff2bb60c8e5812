"""How many messages a user has removed lately without a recent factor. Pure: the time is given.

A large removal needs a factor. Without this count, many small ones would be a way around it.
Limitation: each server of a shared store counts its own requests.
"""

from collections import OrderedDict, deque
from typing import Final

MEMORY: Final = 300.0  # seconds
MOST_USERS: Final = 10_000


class RemovalCounts:
    """The removals of the last five minutes, by user."""

    def __init__(self) -> None:
        self._by_user: OrderedDict[str, deque[tuple[float, int]]] = OrderedDict()

    def count(self, user: str, now: float) -> int:
        """Return the messages of the last five minutes. `now` is monotonic, in seconds."""
        past = self._by_user.get(user)
        if past is None:
            return 0
        while past and now - past[0][0] >= MEMORY:
            past.popleft()
        if not past:
            del self._by_user[user]
        return sum(messages for _, messages in past)

    def add(self, user: str, messages: int, now: float) -> None:
        """Count messages that are removed now."""
        self._by_user.setdefault(user, deque()).append((now, messages))
        self._by_user.move_to_end(user)
        while len(self._by_user) > MOST_USERS:
            self._by_user.popitem(last=False)
