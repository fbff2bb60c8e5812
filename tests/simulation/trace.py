"""The events, line by line, and their digest: two runs of a seed must have the same."""

import hashlib
from collections.abc import Callable, Iterable


class Trace:
    """Lines of `seconds who: what`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.lines: list[str] = []

    def note(self, who: str, what: str) -> None:
        """Add a line."""
        self.lines.append(f"{self._clock():11.6f} {who}: {what}")

    @property
    def digest(self) -> str:
        """Return 16 hex digits that depend on every line."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()[:16]

    def about(self, words: Iterable[str], most: int) -> list[str]:
        """Return the lines with any of these words; the last of them, where there are too many."""
        wanted = tuple(words)
        found = [line for line in self.lines if any(word in line for word in wanted)]
        return [
            *([f"({len(found) - most} earlier lines)"] if len(found) > most else []),
            *found[-most:],
        ]
