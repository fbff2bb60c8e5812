"""Buffered content of all sessions: one number bounds the memory, however many clients there are.

At the limit, every session's content goes to disk at once, whatever its size. No session reads more
content until half of it is on disk or held. So at most the limit is in memory, plus one read for
the session that exceeded it.
"""

from typing import Protocol


class BufferedContent(Protocol):
    """The content of one session."""

    def make_room(self) -> None:
        """Write what is in memory, and stop reading."""

    def go_on(self) -> None:
        """Resume reading soon, but not within this call."""


class MemoryBudget:
    """Counts content in memory; tells sessions when there is too much and when there is room."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.now = 0
        self.is_over = False  # content must go to disk at once, and its readers wait
        self._contents: dict[BufferedContent, None] = {}  # in the order they began

    def set_limit(self, limit: int) -> None:
        """Set another limit, in octets, for content that arrives from now on."""
        self.limit = limit

    def begins(self, content: BufferedContent) -> None:
        """Record content that will arrive."""
        self._contents[content] = None

    def ends(self, content: BufferedContent) -> None:
        """Record that no more of it will arrive; may be called again."""
        self._contents.pop(content, None)

    def add(self, octets: int) -> None:
        """Count content that arrived."""
        self.now += octets
        if self.now >= self.limit and not self.is_over:
            self.is_over = True
            for content in tuple(self._contents):
                content.make_room()

    def remove(self, octets: int) -> None:
        """Stop counting content: it is on disk, held, or forgotten."""
        self.now -= octets
        if self.is_over and self.now <= self.limit // 2:
            self.is_over = False
            for content in tuple(self._contents):
                content.go_on()
