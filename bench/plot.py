"""The plot: bars for the main rows, as SVG that is legible on a light and on a dark page."""

from collections.abc import Iterator
from html import escape
from typing import Final

from bench.results import Report, RowResult, number

ROWS: Final = (
    "accept-4k-20",
    "accept-4k-20-kept",
    "accept-4k-100-kept",
    "drain-0ms",
    "drain-20ms",
    "drain-100ms",
)
COLORS: Final = {"Restante": "#2f81c7", "Postfix": "#d1772c", "Exim": "#7a9a3b"}
OTHER: Final = "#8a8a8a"

WIDTH: Final = 760
NAME_WIDTH: Final = 220  # of the column at the left
VALUE_WIDTH: Final = 130  # of the free space at the right
LINE: Final = 22
GAP: Final = 18

STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
"""


def as_svg(report: Report) -> str:
    """Draw the main rows of a report, each to a scale of its own."""
    rows = [row for name in ROWS if (row := report.row(name))]
    shapes: list[str] = []
    top = GAP
    for row in rows:
        shapes += _panel(row, top)
        top += LINE * (1 + len(row.samples)) + GAP
    shape = "\n".join(shapes)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0'
        f' {WIDTH} {top}" role="img">'
    )
    return f"{head}\n<title>Messages per second</title>\n<style>{STYLE}</style>\n{shape}\n</svg>\n"


def _panel(row: RowResult, top: int) -> Iterator[str]:
    yield f'<text class="title" x="4" y="{top + 14}">{escape(row.title)}, {escape(row.unit)}</text>'
    values = {subject: spread for subject in row.samples if (spread := row.value(subject))}
    most = max(spread.median for spread in values.values())
    for place, (subject, spread) in enumerate(values.items(), start=1):
        length = spread.median / most * (WIDTH - NAME_WIDTH - VALUE_WIDTH)
        yield from _bar(subject, spread.median, length, top + place * LINE)


def _bar(subject: str, value: float, length: float, y: int) -> Iterator[str]:
    color = COLORS.get(subject.split(maxsplit=1)[0], OTHER)
    yield f'<text x="16" y="{y + 14}">{escape(subject)}</text>'
    yield (
        f'<rect x="{NAME_WIDTH}" y="{y + 2}" width="{max(length, 1):.1f}" height="{LINE - 6}"'
        f' rx="2" fill="{color}"/>'
    )
    yield f'<text x="{NAME_WIDTH + length + 8:.1f}" y="{y + 14}">{number(value)}</text>'
