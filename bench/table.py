"""The table, as text and as Markdown."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bench.results import Report, RowResult, Spread, number
from bench.targets import Verdict

HEADINGS: Final = ("", "median", "ratio: median (least-most)", "CPU s/1,000", "memory", "syncs")
TARGET_HEADINGS: Final = ("target", "", "measured", "")
MEBIBYTE: Final = 1024 * 1024

Cells = tuple[str, ...]


def as_text(report: Report) -> str:
    """Return the table for a terminal: a line for each row's title and one for each subject."""
    blocks = [(row, [_cells(row, subject) for subject in row.samples]) for row in report.rows]
    every = [HEADINGS, *(cells for _, lines in blocks for cells in lines)]
    widths = [max(len(cells[column]) for cells in every) for column in range(len(HEADINGS))]
    lines = [_aligned(HEADINGS, widths)]
    for row, subjects in blocks:
        lines += ["", f"{row.title}  [{row.name}]", *_remarks(row, report.rounds)]
        lines += [] if row.failure else [_aligned(cells, widths) for cells in subjects]
    return "\n".join(lines)


def _remarks(row: RowResult, rounds: int) -> list[str]:
    taken = max(map(len, row.samples.values()), default=0)
    text_of_rounds = "" if taken in {0, rounds} else f"rounds: {taken}"
    failure = row.failure and f"NO VALUE: {row.failure}"
    return [f"  {text}" for text in (row.note, failure, text_of_rounds, row.earlier) if text]


def _aligned(cells: Cells, widths: Sequence[int]) -> str:
    name, *rest = zip(cells, widths, strict=True)
    right = [cell.rjust(width) for cell, width in rest]
    return "  ".join(["", name[0].ljust(name[1]), *right]).rstrip()


def as_markdown(report: Report) -> str:
    """Return the table as Markdown."""
    lines = [_piped(HEADINGS), _piped(("---", *["---:"] * (len(HEADINGS) - 1)))]
    for row in report.rows:
        remarks = " ".join(text.strip() for text in _remarks(row, report.rounds))
        lines.append(_piped((f"**{row.title}** {remarks}".strip(), *[""] * (len(HEADINGS) - 1))))
        lines += [] if row.failure else [_piped(_cells(row, subject)) for subject in row.samples]
    return "\n".join(lines)


def _piped(cells: Cells) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: RowResult, subject: str) -> Cells:
    cpu = row.middle(subject, lambda sample: sample.cpu)
    memory = row.middle(subject, lambda sample: sample.memory)
    syncs = row.middle(subject, lambda sample: sample.syncs)
    return (
        subject,
        _value(row, subject),
        _ratios(row, subject),
        "" if cpu is None else f"{cpu:.2f}",
        "" if memory is None else f"{memory / MEBIBYTE:.0f} MiB",
        "" if syncs is None else f"{syncs:.2f}",
    )


def _value(row: RowResult, subject: str) -> str:
    value = row.value(subject)
    return "" if value is None else f"{number(value.median)} {row.unit}"


def _ratios(row: RowResult, subject: str) -> str:
    """Return the ratios in a subject's line.

    They are relative to its reference, or to it if it is compared with several others.
    """
    compared = Counter(one for one, _ in row.ratios)
    told = [
        f"{one} is {ratio}" if compared[one] > 1 else f"{ratio} of {reference}"
        for one, reference in row.ratios
        if subject == (reference if compared[one] > 1 else one)
        and (ratio := _spelled(row.ratio(one, reference)))
    ]
    return ", ".join(told)


def _spelled(ratio: Spread | None) -> str:
    """Spell a ratio with its ends."""
    if ratio is None:
        return ""
    return f"{number(ratio.median)}x ({number(ratio.least)}-{number(ratio.most)})"


def targets_as_text(verdicts: Sequence[Verdict]) -> str:
    """Return what was aimed at and what was reached, a line each."""
    lines = [(verdict.what, verdict.bound, verdict.measured, verdict.word) for verdict in verdicts]
    every = [TARGET_HEADINGS, *lines]
    widths = [max(len(cells[column]) for cells in every) for column in range(len(TARGET_HEADINGS))]
    return "\n".join(_aligned(cells, widths) for cells in every)


def targets_as_markdown(verdicts: Sequence[Verdict]) -> str:
    """Return the same as Markdown."""
    lines = [_piped(TARGET_HEADINGS), _piped(("---", *["---:"] * (len(TARGET_HEADINGS) - 1)))]
    return "\n".join(
        [*lines, *(_piped((one.what, one.bound, one.measured, one.word)) for one in verdicts)]
    )


def reasons_as_markdown(verdicts: Sequence[Verdict]) -> str:
    """Return why targets are not met, once for each reason."""
    found: dict[str, list[str]] = {}
    for one in verdicts:
        if not one.is_met:
            found.setdefault(one.reason or "no reason is known", []).append(one.what)
    return "\n".join(f"- {'; '.join(whats)}. **{reason}.**" for reason, whats in found.items())
