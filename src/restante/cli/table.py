"""Lay out a table for a screen width. Pure: texts in, lines out.

No value is omitted. If a row does not fit, its last columns move to lines below it, each value with
its title. A value that is still too long is folded. A first value longer than half the width has
lines of its own above its row. So a table reads the same on a terminal and in a pipe, and no line
is longer than the width. Widths are columns of the terminal: a wide character takes two. Colors
have no width.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from restante.cli.color import TonedText, painted, painted_first
from restante.cli.text_width import beginning, ending, folded, padded, width_of

GAP: Final = "  "
INDENT: Final = "    "


@dataclass(frozen=True, slots=True)
class ColumnHeading:
    """The title of a column, its alignment, and its order of moving below the row."""

    title: str
    is_number: bool = False
    is_detail: bool = False  # moves below the row before others


def lay_out(
    headings: Sequence[ColumnHeading], rows: Sequence[Sequence[str]], width: int
) -> list[str]:
    """Return the lines of a table: its titles, then each row with its details below."""
    widths = [max(map(width_of, column)) for column in _columns(headings, rows)]
    longest = max(width // 2, len(headings[0].title))
    firsts = map(width_of, next(_columns(headings, rows)))
    widths[0] = max(first for first in firsts if first <= longest)
    places, moved = _divided(headings, widths, width)
    lines = [_line(headings, places, widths, [heading.title for heading in headings])]
    for row in rows:
        if width_of(row[0]) > longest:
            lines += fold(row[0], width, "", INDENT)
            row = ["", *row[1:]]  # noqa: PLW2901  the rest of it
        line = _line(headings, places, widths, row)
        lines += [line] if line else []
        lines += _details(headings, moved, row, width)
    return lines


def _columns(
    headings: Sequence[ColumnHeading], rows: Sequence[Sequence[str]]
) -> Iterator[list[str]]:
    return (
        [heading.title, *(row[place] for row in rows)] for place, heading in enumerate(headings)
    )


def _divided(
    headings: Sequence[ColumnHeading], widths: Sequence[int], width: int
) -> tuple[list[int], list[int]]:
    """Return the indexes of the columns that stay on a row's line, and of the others."""
    places = list(range(len(headings)))
    last_first = places[:0:-1]  # the first column always stays
    for place in sorted(last_first, key=lambda one: not headings[one].is_detail):
        if sum(widths[one] for one in places) + len(GAP) * (len(places) - 1) <= width:
            break
        places.remove(place)
    return places, [one for one in range(len(headings)) if one not in places]


def _line(
    headings: Sequence[ColumnHeading],
    places: Sequence[int],
    widths: Sequence[int],
    texts: Sequence[str],
) -> str:
    cells = (_cell(texts[place], widths[place], headings[place]) for place in places)
    return GAP.join(cells).rstrip()


def _cell(text: str, width: int, heading: ColumnHeading) -> str:
    cell = padded(text, width, is_right=heading.is_number)
    return painted_first(cell, text, text.tone) if isinstance(text, TonedText) else cell


def _details(
    headings: Sequence[ColumnHeading], moved: Sequence[int], row: Sequence[str], width: int
) -> Iterator[str]:
    """Yield the lines below a row, with as many values as fit. Empty values are omitted."""
    present = [(headings[place].title.lower(), row[place]) for place in moved if row[place]]
    lines = [""]
    for title, text in present:
        item = f"{title} {text}"
        if lines[-1] and len(INDENT) + width_of(lines[-1]) + len(GAP) + width_of(item) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]}{GAP}{item}" if lines[-1] else item
    for line in filter(None, lines):
        for shown in fold(line, width, INDENT, INDENT * 2):
            yield _painted(shown, present)


def _painted(line: str, items: Sequence[tuple[str, str]]) -> str:
    """Return a line in which the values that have a tone are colored. A folded one is not."""
    for title, text in items:
        item = f"{title} {text}"
        if isinstance(text, TonedText) and item in line:
            line = line.replace(item, f"{title} {painted(text, text.tone)}", 1)
    return line


def fold(text: str, width: int, first: str, others: str) -> list[str]:
    """Return lines of a text: the first line begins with `first`, the others with `others`."""
    room = max(width, max(len(first), len(others)) + len(INDENT) * 2)
    return list(folded(text, room, first, others))


def shorten(text: str, room: int) -> str:
    """Return a text of at most `room` columns, with its beginning and its end."""
    if width_of(text) <= room:
        return text
    kept = max(room - 1, 2)
    return f"{beginning(text, kept - kept // 2)}…{ending(text, kept // 2)}"
