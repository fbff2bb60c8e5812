"""Turn the output of a program on a terminal into an animated SVG.

A `Screen` obeys the sequences that programs with a full screen use: cursor, erasing and bold text.
Others are left out. `as_svg` shows one screen after another, without a script, and stands still for
readers who ask for less motion.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from typing import Final

SEQUENCE: Final = re.compile(r"\x1b(?:\[([?>=]?)([0-9;]*)([A-Za-z])|[()][A-Z0-9]|[=>78])")
WIDTH: Final = 8.4  # of a character, in pixels
HEIGHT: Final = 19  # of a line
MARGIN: Final = 16
BOLD, PLAIN_WEIGHT = 1, 22
END_PAUSE: Final = 3.0  # seconds that the last screen stays

STYLE: Final = (
    "text {",
    '  font: 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;',
    "  fill: #1f2328; white-space: pre;",
    "}",
    ".b { font-weight: 700 }",
    ".back { fill: #f6f8fa; stroke: #d0d7de }",
    ".s { visibility: hidden }",
    "@media (prefers-color-scheme: dark) {",
    "  text { fill: #e6edf3 }",
    "  .back { fill: #161b22; stroke: #30363d }",
    "}",
    "@media (prefers-reduced-motion: reduce) {",
    "  .s { animation: none !important }",
    "  .still { visibility: visible }",
    "}",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A character and its weight."""

    character: str = " "
    is_bold: bool = False


Lines = tuple[tuple[Cell, ...], ...]


@dataclass(slots=True)
class Screen:
    """A terminal of so many columns and rows."""

    columns: int
    rows: int
    _cells: list[list[Cell]] = field(init=False)
    _row: int = 0
    _column: int = 0
    _is_bold: bool = False

    def __post_init__(self) -> None:
        self._cells = [[Cell()] * self.columns for _ in range(self.rows)]

    def feed(self, text: str) -> None:
        """Show output of the program. A sequence must be whole."""
        start = 0
        for found in SEQUENCE.finditer(text):
            self._print(text[start : found.start()])
            if found[3] and not found[1]:
                self._obey(found[3], [int(number or 0) for number in found[2].split(";")])
            start = found.end()
        self._print(text[start:])

    @property
    def lines(self) -> Lines:
        """The screen as it is now."""
        return tuple(tuple(row) for row in self._cells)

    def _print(self, text: str) -> None:
        for character in text:
            if character == "\n":
                self._row = min(self._row + 1, self.rows - 1)
            elif character == "\r":
                self._column = 0
            elif character >= " " and self._column < self.columns:
                self._cells[self._row][self._column] = Cell(character, self._is_bold)
                self._column += 1

    def _obey(self, letter: str, numbers: list[int]) -> None:
        first = numbers[0]
        match letter:
            case "H":
                column = numbers[1] if len(numbers) > 1 else 1
                self._row = min(max(first, 1), self.rows) - 1
                self._column = min(max(column, 1), self.columns) - 1
            case "A":
                self._row = max(self._row - max(first, 1), 0)
            case "J":
                self._cells = [[Cell()] * self.columns for _ in range(self.rows)]
            case "K":
                whole = first == 2  # noqa: PLR2004  ECMA-48: the whole line
                start = 0 if whole else self._column
                self._cells[self._row][start:] = [Cell()] * (self.columns - start)
            case "m":
                self._weigh(numbers)

    def _weigh(self, numbers: list[int]) -> None:
        for number in numbers:
            if number == BOLD:
                self._is_bold = True
            elif number in (0, PLAIN_WEIGHT):
                self._is_bold = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A screen, and the second at which it appeared."""

    at: float
    lines: Lines


def as_svg(title: str, screens: Sequence[Shown]) -> str:
    """Return the SVG of the screens, which begin at second 0. Raises ValueError without any."""
    if not screens:
        raise ValueError("no screen was recorded")
    first = screens[0].lines
    width = round(len(first[0]) * WIDTH + 2 * MARGIN)
    height = len(first) * HEIGHT + 2 * MARGIN
    total = screens[-1].at + END_PAUSE
    ends = [*(one.at for one in screens[1:]), total]
    still = len(screens) // 2
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title)}</title>",
        "<style>",
        *STYLE,
        f"{_timing(screens, ends, total)}</style>",
        f'<rect class="back" x="1" y="1" width="{width - 2}" height="{height - 2}" rx="8"/>',
    ]
    for number, one in enumerate(screens):
        mark = " still" if number == still else ""
        rows = "\n".join(_row(line, place) for place, line in enumerate(one.lines) if _has(line))
        parts.append(f'<g class="s{mark}" id="s{number}">\n{rows}\n</g>')
    return "\n".join([*parts, "</svg>", ""])


def _timing(screens: Sequence[Shown], ends: Sequence[float], total: float) -> str:
    rules = []
    for number, (one, end) in enumerate(zip(screens, ends, strict=True)):
        begins, stops = (f"{100 * second / total:.2f}%" for second in (one.at, end))
        steps = f"{begins} {{ visibility: visible }} {stops} {{ visibility: hidden }}"
        if one.at > 0:
            steps = f"0% {{ visibility: hidden }} {steps}"
        rules.append(
            f"@keyframes k{number} {{ {steps} }}\n"
            f"#s{number} {{ animation: k{number} {total:.1f}s step-end infinite }}\n"
        )
    return "".join(rules)


def _has(line: tuple[Cell, ...]) -> bool:
    return any(cell.character != " " for cell in line)


def _row(line: tuple[Cell, ...], place: int) -> str:
    """Return a line of text, in pieces of one weight at their columns."""
    y = MARGIN + place * HEIGHT + 14
    pieces, column = [], 0
    for is_bold, cells in groupby(line, key=lambda cell: cell.is_bold):
        text = "".join(cell.character for cell in cells)
        for word in re.finditer(r"\S+(?: \S+)*", text):
            x = MARGIN + (column + word.start()) * WIDTH
            length = len(word[0]) * WIDTH
            weight = ' class="b"' if is_bold else ""
            pieces.append(
                f'<text{weight} x="{x:.1f}" y="{y}" textLength="{length:.1f}">'
                f"{escape(word[0], quote=False)}</text>"
            )
        column += len(text)
    return "".join(pieces)
