"""Which slice of numbered rows a search reads next, and where it ends. Pure: time is an argument.

A filter that matches little would walk through all rows. So a search has a fixed time, and says how
far it came: the next question goes on there. The first slice is everything, which is enough for
most questions. A slice that takes too long is given up, and a narrower one is tried. A slice of one
row has no limit, so each question comes further.
"""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

SLICE_SECONDS: Final = 0.015
QUESTION_SECONDS: Final = 0.05  # about: a slice that has begun is finished
_NARROWER: Final = 16
_WIDER: Final = 4


class RowSlice(NamedTuple):
    """The rows to read: from one number to another, both included, and at most so many."""

    first: int
    last: int
    limit: int

    @property
    def is_one_row(self) -> bool:
        """Whether it can be no narrower, and has no limit of time."""
        return self.first == self.last


@dataclass(slots=True)
class SliceWalk:
    """The walk of one search: upwards, or downwards. Times are monotonic seconds."""

    first: int
    last: int
    limit: int  # of rows in all
    ends_at: float
    is_down: bool = False
    last_read: int | None = None  # the last number that it looked at; None: it looked at all
    _width: int = field(init=False)

    def __post_init__(self) -> None:
        self._width = self.last - self.first + 1

    def next_slice(self) -> RowSlice | None:
        """Return the slice to read now; None: the search is over."""
        if self.last_read is not None or self.first > self.last or self.limit <= 0:
            return None
        self._width = min(self._width, self.last - self.first + 1)
        begin = self.last - self._width + 1 if self.is_down else self.first
        return RowSlice(begin, begin + self._width - 1, self.limit)

    def give_up(self) -> None:
        """Note that the slice took too long."""
        self._width = max(1, self._width // _NARROWER)

    def go_on(self, count: int, now: float) -> None:
        """Note that the slice had so many rows."""
        self.limit -= count
        if self.is_down:
            self.last -= self._width
        else:
            self.first += self._width
        if now >= self.ends_at and self.first <= self.last and self.limit > 0:
            self.last_read = self.last + 1 if self.is_down else self.first - 1
        self._width *= _WIDER
