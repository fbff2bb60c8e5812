"""What commands print: JSON for programs, tables for people, aligned columns where no terminal is.

Much of what is shown was written by strangers (paths, replies, headers): nothing of it reaches the terminal as a
control character, nor as markup.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from restante.cli.failures import printable
from restante.cli.table import Heading, lay_out
from restante.mail.quantity import counted

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
    is_detail: bool = False  # moves below its row first, where room is short


def text_column(title: str, key: str, *, is_detail: bool = False) -> Column:
    """Return a column that shows a value as it is."""
    return Column(title, lambda row: row[key], is_detail=is_detail)


def number_column(title: str, key: str) -> Column:
    """Return a column of counts."""
    return Column(title, lambda row: row[key], is_number=True)


def size_column(title: str, key: str) -> Column:
    """Return a column of octets, shown in units."""
    return Column(title, lambda row: human_size(row[key]), is_number=True)


def time_column(title: str, key: str) -> Column:
    """Return a column of times."""
    return Column(title, lambda row: human_time(row[key]))


def paths_text(paths: Sequence[str]) -> str:
    """Spell recipients in one cell: the first, and how many more there are."""
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}" if paths else ""


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


def show_listing(
    rows: Sequence[Row], columns: Sequence[Column], *, as_json: bool, thing: str, things: str = ""
) -> None:
    """Write a listing, and below it how many there are of what is listed."""
    if as_json:
        show_json(rows)
        return
    if rows:
        show_table(rows, columns)
        say("")
    say(counted(len(rows), thing, things))


def show_table(rows: Sequence[Row], columns: Sequence[Column]) -> None:
    """Write a table that fits the terminal, or a pipe of 80 columns. A terminal shows the titles in bold."""
    cells = [[printable(column.cell(row)) for column in columns] for row in rows]
    headings = [
        Heading(column.title, is_number=column.is_number, is_detail=column.is_detail)
        for column in columns
    ]
    titles, *lines = lay_out(headings, cells, shutil.get_terminal_size().columns)
    print(f"\x1b[1m{titles}\x1b[0m" if sys.stdout.isatty() else titles)  # noqa: T201
    for line in lines:
        print(line)  # noqa: T201


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
