"""The results of a run of the bench, and the ratios made of them. No I/O.

A row is one kind of work. Its subjects are the servers, or circumstances, that it compares. In each
round every subject does the work once, which gives a sample. A ratio is taken within a round,
because both subjects had the same machine then.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self

RENEWED: Final = (
    "date",
    "command",
    "disk",
    "Restante",
)  # facts of a run that may differ between the rows of one page


@dataclass(frozen=True, slots=True)
class Sample:
    """One subject's work, once."""

    value: float  # in the row's unit
    cpu: float | None = None  # CPU seconds of its processes, for 1,000 messages
    memory: float | None = None  # octets of its processes' memory, at most
    syncs: float | None = None  # for one message


@dataclass(frozen=True, slots=True)
class Spread:
    """Several values: the median, and the two ends."""

    median: float
    least: float
    most: float


@dataclass(slots=True)
class RowResult:
    """A row with its samples, by subject, a sample for each round."""

    name: str
    title: str
    unit: str
    ratios: list[tuple[str, str]] = field(
        default_factory=list
    )  # (subject, reference): value over value
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    note: str = ""
    failure: str = ""  # why there are no values
    earlier: str = ""  # date and version, where it was measured in an earlier run than the rest

    def value(self, subject: str) -> Spread | None:
        """Return a subject's values."""
        return _spread([sample.value for sample in self.samples.get(subject, [])])

    def ratio(self, subject: str, reference: str) -> Spread | None:
        """Return a subject's values over those of the reference, round by round."""
        pairs = zip(self.samples.get(subject, []), self.samples.get(reference, []), strict=False)
        return _spread([one.value / other.value for one, other in pairs])

    def cpu_ratio(self, subject: str, reference: str) -> Spread | None:
        """Return a subject's CPU seconds over those of the reference, round by round."""
        pairs = zip(self.samples.get(subject, []), self.samples.get(reference, []), strict=False)
        return _spread([one.cpu / other.cpu for one, other in pairs if one.cpu and other.cpu])

    def middle(self, subject: str, of: Callable[[Sample], float | None]) -> float | None:
        """Return the median of something that not every sample has."""
        known = [
            fact for sample in self.samples.get(subject, []) if (fact := of(sample)) is not None
        ]
        return statistics.median(known) if known else None


@dataclass(slots=True)
class Report:
    """A whole run."""

    machine: dict[str, str]
    rounds: int
    rows: list[RowResult] = field(default_factory=list)

    def row(self, name: str) -> RowResult | None:
        """Find a row that has values."""
        return next((row for row in self.rows if row.name == name and not row.failure), None)

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` takes."""
        return asdict(self)

    def differs_in(self, earlier: Self) -> list[str]:
        """Name what is not as in an earlier run, so that its rows cannot stand beside these."""
        return [
            name
            for name in self.machine
            if name not in RENEWED and earlier.machine.get(name) != self.machine[name]
        ]

    def keep(self, earlier: Self, order: Sequence[str]) -> None:
        """Take the rows of an earlier run that were not measured now. `order` names all rows."""
        made = f"measured {earlier.machine['date']} with {earlier.machine['Restante']}"
        there = {row.name for row in self.rows}
        self.rows += [
            replace(row, earlier=row.earlier or made)
            for row in earlier.rows
            if row.name not in there
        ]
        self.rounds = earlier.rounds  # a row with other rounds says so
        self.rows.sort(key=lambda row: order.index(row.name) if row.name in order else len(order))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Read back what `as_json` gave."""
        return cls(data["machine"], data["rounds"], [_row(row) for row in data["rows"]])


def _row(data: dict[str, Any]) -> RowResult:
    samples = {
        subject: [Sample(**sample) for sample in some] for subject, some in data["samples"].items()
    }
    ratios = [(subject, reference) for subject, reference in data["ratios"]]
    return RowResult(**data | {"samples": samples, "ratios": ratios})


def _spread(values: list[float]) -> Spread | None:
    return Spread(statistics.median(values), min(values), max(values)) if values else None


def number(value: float) -> str:
    """Format a number with its significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
