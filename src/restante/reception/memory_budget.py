"""BufferedContent in memory over all sessions: the one number that keeps the process from growing with its clients.

At the limit every session's content goes to disk at once, whatever its size, and nobody's content is read any more, until
half of it is on disk or held. So no more than the limit is in memory, and what one read has brought beyond it.
"""

from typing import Protocol


class BufferedContent(Protocol):
    """What one session takes in."""

    def make_room(self) -> None:
        """Write what is in memory, and stop reading."""

    def go_on(self) -> None:
        """Read on, soon: not within this call."""


class MemoryBudget:
    """Counts content in memory, and tells those who bring it when there is too much, and when there is room."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.now = 0
        self.is_over = False  # content must go to disk at once, and its readers wait
        self._contents: dict[BufferedContent, None] = {}  # in the order they began

    def begins(self, content: BufferedContent) -> None:
        """Take note of content that will be coming in."""
        self._contents[content] = None

    def ends(self, content: BufferedContent) -> None:
        """It has all come in, or no more of it will; as often as one likes."""
        self._contents.pop(content, None)

    def add(self, octets: int) -> None:
        """Count content that came in."""
        self.now += octets
        if self.now >= self.limit and not self.is_over:
            self.is_over = True
            for content in tuple(self._contents):
                content.make_room()

    def remove(self, octets: int) -> None:
        """Count content no longer: it is on disk, held, or forgotten."""
        self.now -= octets
        if self.is_over and self.now <= self.limit // 2:
            self.is_over = False
            for content in tuple(self._contents):
                content.go_on()
