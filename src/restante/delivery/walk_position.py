"""How far a walk over one kind of held mail has come, over several attempts of a round. Pure.

A walk goes forward, by the places of messages (`HeldMessage.place`). An attempt that ends early
goes back to the first message that it has read and not sent. Where mail leaves out of order, the
next attempt passes others on its way from there. It takes only those that were not sent: the others
were tried.
"""

from collections.abc import Set as AbstractSet


class WalkPosition:
    """A place in held mail, and the messages left behind it. Numbers here are places."""

    __slots__ = ("_before", "_left", "_left_until", "last_read")

    def __init__(self, before: int) -> None:
        """`before`: no message of this kind has this place or a lower one."""
        self._before = before
        self.last_read = before
        self._left: frozenset[int] = frozenset()  # read by an earlier attempt, and not sent
        self._left_until = before  # up to here, only those are taken

    @property
    def has_begun(self) -> bool:
        """Whether a message was read in this round."""
        return max(self.last_read, self._left_until) > self._before

    def is_untried(self, place: int) -> bool:
        """Return whether no attempt of this round has tried the message."""
        return place > self._left_until or place in self._left

    def lay_down(self, unsent: AbstractSet[int], *, is_in_order: bool) -> None:
        """End an attempt that has read these and not sent them; the next one begins with them.

        `is_in_order`: it has sent each message before those with a higher place.
        """
        left = set(unsent)
        if self._left_until > self.last_read:  # those that it had not come to
            left.update(place for place in self._left if place > self.last_read)
        if left and not is_in_order:
            self._left_until = max(self._left_until, self.last_read)
            self._left = frozenset(left)
        if unsent:
            self.last_read = min(left) - 1

    def begin_round(self) -> None:
        """Start again with the oldest message."""
        self.last_read = self._left_until = self._before
        self._left = frozenset()
