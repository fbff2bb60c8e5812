"""What commands print: JSON for programs, tables for people, aligned columns where no terminal is.

Much of what is shown was written by strangers (paths, replies, headers): nothing of it reaches the terminal as a
control character, nor as markup.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from restante.cli.failures import printable

Row = Mapping[str, Any]

_STEP = 1024
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_SECONDS_END = 19  # of 2025-11-21T20:35:00.123456Z


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, and what stands in it for a row."""

    title: str
    cell: Callable[[Row], Any]
    is_number: bool = False


def text_column(title: str, key: str) -> Column:
    """Return a column that shows a value as it is."""
    return Column(title, lambda row: row[key])


def number_column(title: str, key: str) -> Column:
    """Return a column of counts."""
    return Column(title, lambda row: row[key], is_number=True)


def size_column(title: str, key: str) -> Column:
    """Return a column of octets, shown in units."""
    return Column(title, lambda row: human_size(row[key]), is_number=True)


def time_column(title: str, key: str) -> Column:
    """Return a column of times."""
    return Column(title, lambda row: human_time(row[key]))


def say(text: str) -> None:
    """Write one line to standard output."""
    print(printable(text))  # noqa: T201  this is what the program says


def say_changed(thing: str, changes: Sequence[Row]) -> None:
    """Say what a change of a record changed, a line for each field."""
    say(f"{thing} changed" if changes else f"{thing}: nothing to change, all of that is so already")
    for change in changes:
        say(f"  {change['field']}: {change['before']} → {change['after']}")


def show_json(data: Any) -> None:
    """Write JSON; control characters and all that is not ASCII are escaped in it."""
    print(json.dumps(data, indent=2))  # noqa: T201


def show_listing(rows: Sequence[Row], columns: Sequence[Column], *, as_json: bool) -> None:
    """Write a listing."""
    if as_json:
        show_json(rows)
    else:
        show_table(rows, columns)


def show_table(rows: Sequence[Row], columns: Sequence[Column]) -> None:
    """Write a table: ruled and fitted on a terminal, plain and whole elsewhere."""
    cells = [[printable(column.cell(row)) for column in columns] for row in rows]
    if sys.stdout.isatty():
        _show_ruled(columns, cells)
    else:
        _show_plain(columns, cells)


def show_record(fields: Iterable[tuple[str, Any]]) -> None:
    """Write names and values of one thing; a list has a line for each of its items."""
    lines = [(name, item) for name, value in fields for item in _items(value)]
    width = max((len(name) for name, _ in lines), default=0)
    for name, item in lines:
        say(f"{name:{width}}  {printable(item)}".rstrip())


def human_size(octets: int) -> str:
    """Spell octets in the unit that fits."""
    amount = float(octets)
    for unit in _UNITS:
        if amount < _STEP or unit == _UNITS[-1]:
            break
        amount /= _STEP
    return f"{octets} B" if unit == "B" else f"{amount:.1f} {unit}"


def human_time(text: str | None) -> str:
    """Spell an ISO time in UTC shorter, to the second."""
    return "" if text is None else text[:_SECONDS_END].replace("T", " ") + "Z"


def _items(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return value or [""]
    return [value]


def _show_plain(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> None:
    lines = [[column.title for column in columns], *cells]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines:
        padded = [
            f"{text:>{width}}" if column.is_number else f"{text:<{width}}"
            for text, width, column in zip(line, widths, columns, strict=True)
        ]
        print("  ".join(padded).rstrip())  # noqa: T201


def _show_ruled(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> None:
    from rich import box  # noqa: PLC0415  a tenth of a second that only a terminal needs
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, column in enumerate(columns):
        justify: Literal["right", "left"] = "right" if column.is_number else "left"
        # Where room is short, what the rest of a line is about is folded last.
        table.add_column(column.title, justify=justify, overflow="fold", no_wrap=place == 0)
    for line in cells:
        table.add_row(*(Text(text) for text in line))
    Console(highlight=False).print(table)
