"""A row of the table: one kind of work, done by each of its subjects in turn."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum

from bench.results import Sample

PER_SECOND = "messages/s"


class Extent(Enum):
    """How much of everything is measured."""

    QUICK = "quick"  # the main rows, with less work, in under three minutes
    FULL = "full"
    EVERY = "every"  # also each combination of size, sessions, kept connections and TLS


class Row(ABC):
    """One kind of work."""

    name: str  # by which it is chosen
    title: str
    unit: str = PER_SECOND
    subjects: Sequence[str]
    ratios: Sequence[tuple[str, str]]  # (subject, reference)
    note: str = ""

    @abstractmethod
    def run(self, subject: str, *, is_first: bool) -> Sample:
        """Do the work once. In the first round facts that are needed once may be found out.

        Raises Lost, or AssertionError where something does not work.
        """
