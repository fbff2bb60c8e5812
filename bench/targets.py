"""The design's table of targets, and whether a run has met them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from bench.reasons import CPU, LOSS, SYNCS, reason_for
from bench.results import Report, RowResult, Sample, number
from bench.servers.park import RESTANTE, SHARED, SHARED_ALONE, UNSEALED

NEAR, FAR, LONG = "drain-0ms", "drain-100ms", "-long"
# rows of large content, and the CPU seconds that 1,000 messages may take: 2.5 for each MiB
LARGE: Final = {"accept-1m-20-kept": 2.5, "accept-1m-20-kept-bdat": 2.5, "accept-10m-20-kept": 25.0}
_AHEAD: Final = "Restante to CHUNKING sink"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target."""

    what: str
    bound: str
    measured: str
    is_met: bool
    reason: str = ""  # why it is not met, if it is known not to be

    @property
    def word(self) -> str:
        """Return it in a word."""
        return "met" if self.is_met else "NOT MET"


@dataclass(frozen=True, slots=True)
class _AtLeast:
    """A ratio of a row that shall be so high."""

    row: str
    subject: str
    reference: str
    bound: float
    stretch: float = 0.0


@dataclass(frozen=True, slots=True)
class _Spent:
    """The most that a message of a row may cost Restante: the median of the rounds."""

    row: str
    what: str
    of: Callable[[Sample], float | None]
    bound: float


@dataclass(frozen=True, slots=True)
class _AtMost:
    """A value of a row that shall be so low: of the subject that is named, or of the first."""

    row: str
    bound: float
    unit: str
    subject: str = ""
    reference: str = ""  # of which the subject's value is taken; none: the value itself


@dataclass(frozen=True, slots=True)
class _CpuAtMost:
    """A ratio of the CPU seconds of a row that shall be so low, sealing over not sealing."""

    row: str
    bound: float
    subject: str
    reference: str


_POSTFIX: Final = ("Postfix", "Postfix HOLD")
_RATES: Final = [
    _AtLeast("accept-4k-20", "Restante", "Postfix", 4.5, 5),
    _AtLeast("accept-4k-20", "Restante", "Postfix HOLD", 3, 5),
    *(_AtLeast("accept-4k-100", "Restante", peer, 3, 5) for peer in _POSTFIX),
    _AtLeast("accept-4k-20-kept", "Restante", "Postfix", 6),
    _AtLeast("accept-4k-20-kept", "Restante", "Postfix HOLD", 4, 6),
    _AtLeast("accept-4k-20-kept", "Restante", "Exim", 2),
    *(_AtLeast(row, SHARED_ALONE, "Postfix", 2.5) for row in ("accept-4k-20", "accept-4k-20-kept")),
    *(
        _AtLeast(row, workers, SHARED_ALONE, 1)
        for row in ("accept-4k-20-kept", "accept-4k-100", "accept-4k-100-kept")
        for workers in SHARED
        if workers != SHARED_ALONE
    ),
    *(_AtLeast(row, "Restante", "Postfix", 2.5) for row in LARGE),
    _AtLeast("accept-4k-20-tls", "Restante", "Postfix", 4),
    _AtLeast("refill", "a store that once held 1,000,000", "a new store", 0.95),
    _AtLeast("refill-3m", "a store that once held 3,000,000", "a new store", 0.95),
    _AtLeast(NEAR, f"{SHARED_ALONE} to smtp-sink", "Postfix to smtp-sink", 4),
    _AtLeast(NEAR, "Restante to smtp-sink", "Postfix to smtp-sink", 5, 8),
    _AtLeast(FAR, _AHEAD, "Postfix to smtp-sink", 50),
    _AtLeast(FAR, "Restante to smtp-sink", "Postfix to smtp-sink", 4),
]
_SPENT: Final = [
    _Spent("accept-4k-20", CPU, lambda sample: sample.cpu, 0.32),
    _Spent("accept-4k-20-kept", CPU, lambda sample: sample.cpu, 0.18),
    _Spent("accept-4k-20-tls", CPU, lambda sample: sample.cpu, 1.0),
    *(_Spent(row, CPU, lambda sample: sample.cpu, bound) for row, bound in LARGE.items()),
    *(_Spent(row, SYNCS, lambda sample: sample.syncs, 1.2) for row in LARGE),
]
_LOSS: Final = 20.0  # percent
_COSTS: Final = [
    _AtMost("first-mail", 1.2, "x", subject, "1,000 held in 1 domain")
    for subject in (
        "100,000 held in 1 domain",
        "1,000,000 held in 1 domain",
        "1,000,000 held in 10,000 domains",
    )
] + [
    _AtMost(
        "first-mail",
        1.2,
        "x",
        "1,000,000 held in 1 domain, PostgreSQL",
        "1,000 held in 1 domain, PostgreSQL",
    ),
    _AtMost("first-mail-3m", 1.2, "x", "3,000,000 held in 1 domain", "1,000 held in 1 domain"),
    _AtMost("held-octets", 1.2, "", "1,000,000 held"),
    _AtMost("held-octets-3m", 1.2, "", "3,000,000 held"),
    _AtMost("start-cpu", 0.4, " s"),
    _AtMost("memory-listings", 1.05, "x", "all listed 10 times", "all listed once"),
    _AtMost("takeover", 10, " s", "worst of 5"),
    _AtMost("memory-idle", 12, " KiB"),
    _AtMost("memory-idle-tls", 64, " KiB"),
    _AtMost("memory-50mb", 256, " KiB"),
]
_SEALING: Final = [
    _CpuAtMost("sealing-accept-4k", 1.05, RESTANTE, UNSEALED),
    _CpuAtMost(
        "sealing-drain-4k", 1.05, f"{RESTANTE} to CHUNKING sink", f"{UNSEALED} to CHUNKING sink"
    ),
]


def verdicts(report: Report) -> list[Verdict]:
    """Judge what the run has measured, and pass over what it has not."""
    return [*_rates(report), *_spent(report), *_loss(report), *_costs(report), *_sealing(report)]


def _rates(report: Report) -> Iterator[Verdict]:
    for target in _RATES:
        row = report.row(target.row)
        ratio = row.ratio(target.subject, target.reference) if row else None
        if row and ratio:
            stretch = f" (stretch {target.stretch:g}x)" if target.stretch else ""
            what = f"{row.title}: {target.subject}, of {target.reference}"
            bound = f"≥ {target.bound:g}x{stretch}"
            reason = reason_for(target.row, target.subject)
            is_met = ratio.median >= target.bound
            yield Verdict(what, bound, f"{number(ratio.median)}x", is_met, reason)


def _spent(report: Report) -> Iterator[Verdict]:
    for target in _SPENT:
        row = report.row(target.row)
        value = row.middle("Restante", target.of) if row else None
        if row and value is not None:
            what = f"{row.title}: Restante, {target.what}"
            reason = reason_for(target.row, target.what)
            is_met = value <= target.bound
            yield Verdict(what, f"≤ {target.bound:g}", number(value), is_met, reason)


def _loss(report: Report) -> Iterator[Verdict]:
    for subject, length in (("Restante to Postfix", ""), (_AHEAD, ""), (_AHEAD, LONG)):
        values = [
            row.value(subject)
            for row in (report.row(NEAR + length), report.row(FAR + length))
            if row
        ]
        if len(values) == 2 and values[0] and values[1]:
            loss = (1 - values[1].median / values[0].median) * 100
            what = f"{subject}{length and ', long drain'}: loss from 0 to 100 ms"
            reason = reason_for(FAR + length, LOSS)
            yield Verdict(what, f"≤ {_LOSS:g} %", f"{loss:.0f} %", loss <= _LOSS, reason)


def _costs(report: Report) -> Iterator[Verdict]:
    for target in _COSTS:
        row = report.row(target.row)
        value = _cost(row, target) if row else None
        if row and value is not None:
            what = f"{row.title}: {target.subject or next(iter(row.samples))}"
            bound = f"≤ {target.bound:g}{target.unit}"
            measured, is_met = f"{number(value)}{target.unit}", value <= target.bound
            yield Verdict(what, bound, measured, is_met, reason_for(target.row, target.subject))


def _cost(row: RowResult, target: _AtMost) -> float | None:
    subject = target.subject or next(iter(row.samples))
    spread = row.ratio(subject, target.reference) if target.reference else row.value(subject)
    return spread.median if spread else None


def _sealing(report: Report) -> Iterator[Verdict]:
    for target in _SEALING:
        row = report.row(target.row)
        ratio = row.cpu_ratio(target.subject, target.reference) if row else None
        if row and ratio:
            what = f"{row.title}: CPU seconds, of {target.reference}"
            bound = f"≤ {target.bound:g}x"
            measured = f"{ratio.median:.3f}x ({ratio.least:.3f}-{ratio.most:.3f})"
            yield Verdict(what, bound, measured, ratio.median <= target.bound)
