"""Print the results of commands: JSON for programs, tables and records for people.

Strangers wrote much of this text, such as paths, replies and headers. None of it reaches the
terminal as a control character or as markup.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from restante.cli.color import (
    bold,
    painted_first,
    shows_color,
    tone_of_cell,
    tone_of_words,
    toned,
)
from restante.cli.failures import for_terminal, printable
from restante.cli.table import GAP, INDENT, ColumnHeading, fold, lay_out
from restante.cli.text_width import width_of
from restante.mail.message_origin import PtrStatus
from restante.mail.quantity import counted
from restante.queue.drain_word import DrainState, DrainWay

JsonObject = Mapping[str, Any]

_NO_CHANGE = "no change; the record has these values already"
_STEP = 1024
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_SECONDS_END = 19  # of 2025-11-21T20:35:00.123456Z


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its title, and the function that returns its cell for a row."""

    title: str
    cell: Callable[[JsonObject], Any]
    is_number: bool = False
    is_detail: bool = False  # moves below its row first if the line is too long


def text_column(title: str, key: str, *, is_detail: bool = False) -> Column:
    """Return a column that shows a value unchanged."""
    return Column(title, lambda row: row[key], is_detail=is_detail)


def destination_words(row: JsonObject) -> str:
    """Return the destination of a domain, in words where it has none."""
    return "by ATRN only" if row["destination"] == "none" else str(row["destination"])


def drain_state_words(row: JsonObject) -> str:
    """Return the state of a drain, and whether it goes by ATRN."""
    return f"{DrainState.text_of(row['state'])}{by_atrn(row)}"


def host_name_words(origin: JsonObject) -> str:
    """Return the name of a client's address, and how far to trust it."""
    word = PtrStatus.text_of(origin["ptr"])
    return f"{origin['host_name']}, {word}" if origin["host_name"] else word


def by_atrn(row: JsonObject) -> str:
    """Return the words that tell a special drain from one of all mail to the destination."""
    way = row.get("way")
    if way == DrainWay.MESSAGES:
        return ", named mail only"
    return ", by ATRN" if way == DrainWay.TURNAROUND else ""


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
    """Return recipients as one cell: the first, and the number of the others."""
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}" if paths else ""


def say(text: str, *, mark: str = "") -> None:
    """Write one line to standard output, folded if it is longer than the terminal is wide.

    `mark` is the part of it that says how good that is, such as "critical": it is colored.
    """
    line = for_terminal(printable(text), sys.stdout)
    if mark and shows_color(sys.stdout):
        line = painted_first(line, mark, tone_of_words(mark))
    print(line)  # noqa: T201  output of the program


def say_changed(thing: str, changes: Sequence[JsonObject]) -> None:
    """Print the changes of a record, a line for each field."""
    say(f"{thing} changed" if changes else f"{thing}: {_NO_CHANGE}")
    for change in changes:
        say(f"  {change['field']}: {change['before']} → {change['after']}")


def show_added(
    thing: str, record: JsonObject, changes: Sequence[JsonObject], *, as_json: bool
) -> None:
    """Report a new record, or one that was there with the same values: it has no changes."""
    if as_json:
        show_json(changed_document(record, changes))
    else:
        say_added(thing, changes)


def say_added(thing: str, changes: Sequence[JsonObject]) -> None:
    """Print that a record was added, or that it was there."""
    say(f"{thing} added" if changes else f"{thing}: {_NO_CHANGE}")


def show_changed(
    thing: str, record: JsonObject, changes: Sequence[JsonObject], *, as_json: bool
) -> None:
    """Report a record and what a command has changed in it, perhaps nothing."""
    if as_json:
        show_json(changed_document(record, changes))
    else:
        say_changed(thing, changes)


def changed_document(
    record: JsonObject, changes: Sequence[JsonObject], **more: Any
) -> dict[str, Any]:
    """Return JSON for programs that need to know whether something was changed, such as Ansible.

    `more` has what is shown only once.
    """
    fields = {key: value for key, value in record.items() if key != "changes"}
    return {"changed": bool(changes), "changes": list(changes), "record": fields, **more}


def show_json(data: Any) -> None:
    """Write JSON. Control characters and non-ASCII characters are escaped."""
    print(json.dumps(data, indent=2))  # noqa: T201


def show_listing(
    rows: Sequence[JsonObject],
    columns: Sequence[Column],
    *,
    as_json: bool,
    thing: str,
    things: str = "",
) -> None:
    """Write a listing, and below it the number of its rows."""
    if as_json:
        show_json(rows)
        return
    if rows:
        show_table(rows, columns)
        say("")
    say(counted(len(rows), thing, things))


def show_table(rows: Sequence[JsonObject], columns: Sequence[Column]) -> None:
    """Write a table that fits the terminal, or 80 columns in a pipe.

    A terminal shows the titles in bold and states in color, if its user wants that.
    """
    is_colored = shows_color(sys.stdout)
    cells = [[printable(column.cell(row)) for column in columns] for row in rows]
    if is_colored:
        cells = [
            [
                toned(text, tone_of_cell(column.title, text))
                for column, text in zip(columns, texts, strict=True)
            ]
            for texts in cells
        ]
    headings = [
        ColumnHeading(column.title, is_number=column.is_number, is_detail=column.is_detail)
        for column in columns
    ]
    titles, *lines = lay_out(headings, cells, screen_width())
    print(bold(titles) if is_colored else titles)  # noqa: T201
    for line in lines:
        print(line)  # noqa: T201


def status_of_mail(row: JsonObject) -> str:
    """Return the states of a message's recipients, and why it leaves last."""
    words = ["+".join(sorted({recipient["status"] for recipient in row["recipients"]}))]
    if row["is_suspect"]:
        words.append("suspect")
    if row["policy_deferrals"]:
        words.append(f"deferred in {counted(row['policy_deferrals'], 'drain')}")
    return ", ".join(words)


def show_record(fields: Iterable[tuple[str, Any]]) -> None:
    """Write the names and values of one record. A list has a line for each item.

    A value that does not fit beside its name stands below it, and is folded if it must be.
    """
    lines = [(name, printable(item)) for name, value in fields for item in _items(value)]
    width = max((len(name) for name, _ in lines), default=0)
    screen = screen_width()
    for name, item in lines:
        beside = f"{name:{width}}{GAP}"
        if len(beside) + width_of(item) > screen and " " not in item:
            say(name)
            beside = INDENT
        for line in fold(item, screen, beside, " " * len(beside)) or [name]:
            say(line)


def screen_width() -> int:
    """Return the columns of the terminal, or 80 in a pipe."""
    return shutil.get_terminal_size().columns


def amounts(view: JsonObject) -> str:
    """Return the amount of mail as text: held and refused, and other states if there is some."""
    others = {"uncertain": view["uncertain"], "damaged": view["store"]["damaged_messages"]}
    counts = [f"{view['refused']} refused", *(f"{n} {state}" for state, n in others.items() if n)]
    held = counted(view["held"], "message")
    return f"{held} held, {', '.join(counts)}, {human_size(view['octets'])}"


def set_apart_columns(rows: Sequence[JsonObject]) -> list[Column]:
    """Return columns of messages that are not simply held or refused, where there are some."""
    return [
        number_column(state.upper().removeprefix("DEFERRED_").replace("_", " "), state)
        for state in ("uncertain", "damaged", "deferred_by_policy")
        if any(row.get(state) for row in rows)
    ]


def human_size(octets: int) -> str:
    """Return octets in the unit that fits."""
    amount = float(octets)
    for unit in _UNITS:
        if amount < _STEP or unit == _UNITS[-1]:
            break
        amount /= _STEP
    return f"{octets} B" if unit == "B" else f"{amount:.1f} {unit}"


def human_time(text: str | None) -> str:
    """Return an ISO time in UTC, shortened to the second."""
    return "" if text is None else text[:_SECONDS_END].replace("T", " ") + "Z"


def _items(value: Any) -> Sequence[Any]:
    if isinstance(value, list | tuple):
        return value or [""]
    return [value]
