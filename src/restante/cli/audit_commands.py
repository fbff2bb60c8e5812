"""`restante audit`: show the audit trail: actions and requests, by actor, place and result."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from restante.cli.api_client import ask
from restante.cli.display import JsonObject, human_time, say, screen_width, show_json
from restante.cli.failures import printable
from restante.cli.options import (
    ConfigOption,
    JsonOption,
    RowsOption,
    SinceOption,
    UntilOption,
    time_span,
    with_options,
)
from restante.cli.table import GAP, INDENT, fold, shorten
from restante.cli.text_width import beginning, width_of
from restante.mail.quantity import counted
from restante.tenancy.audit import AuditAction

NAMES_SHOWN: Final = 3  # messages of one entry; --json has all of them


_FILTERS: Final[Mapping[str, Any]] = {
    "account": Annotated[
        str | None, typer.Option("--account", metavar="NAME", help="Only entries of this account.")
    ],
    "domain": Annotated[
        str | None,
        typer.Option("--domain", metavar="DOMAIN", help="Only entries about this domain."),
    ],
    "action": Annotated[
        AuditAction | None,
        typer.Option("--action", metavar="ACTION", help="Only actions of this kind."),
    ],
    "actor": Annotated[
        str | None,
        typer.Option(
            "--actor", metavar="WHO", help='Only actions by: "login NAME", "operator", or a name.'
        ),
    ],
    "since": SinceOption,
    "until": UntilOption,
}


def _wanted(given: Mapping[str, Any]) -> JsonObject:
    """Return filters as the API takes them. Raises typer.BadParameter."""
    action = given["action"]
    return {
        **given,
        "action": action and str(action),
        **time_span(given["since"], given["until"]),
    }


def _with_filters(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the filters of entries."""
    return with_options(command, "wanted", _FILTERS, _wanted)


@_with_filters
def audit(
    *,
    wanted: JsonObject,
    limit: RowsOption = 100,
    is_verbose: Annotated[
        bool, typer.Option("--verbose", help="Show whole entries, on as many lines as they take.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show the newest entries of the audit trail, newest first.

    An entry has at most two lines, shortened to the width of the terminal. --verbose and --json
    show all of it.
    """
    entries = ask(config, "GET", "/v1/audit", params=wanted, most=limit)
    if as_json:
        show_json(entries)
        return
    width = screen_width()
    for entry in entries:
        for line in _whole(entry, width) if is_verbose else two_lines(entry, width):
            say(line)
    if entries:
        say("")
    say(counted(len(entries), "entry", "entries"))


def two_lines(entry: JsonObject, width: int) -> Iterator[str]:
    """Yield the lines of one entry: at most two."""
    head, about, by = _head(entry), _about(entry), _by(entry)
    line = f"{head}{GAP}{about}{GAP}{by}"
    details = _details(entry)
    if width_of(line) > width:  # the actor moves down
        line, details = f"{head}{GAP}{shorten(about, width - len(head) - len(GAP))}", [by, *details]
    yield line.rstrip()
    if details:
        yield INDENT + _fitting("; ".join(details), width - len(INDENT))


def _fitting(text: str, room: int) -> str:
    """Return as much of a text as fits."""
    return text if width_of(text) <= room else f"{beginning(text, room - 1)}…"


def _whole(entry: JsonObject, width: int) -> Iterator[str]:
    """Yield all of one entry, folded."""
    first = f"{_head(entry)}{GAP}{_subject(entry, len(entry['subject']))}{GAP}{_by(entry)}"
    yield from fold(printable(first), width, "", INDENT * 2)
    for detail in _details(entry):
        yield from fold(printable(detail), width, INDENT, INDENT * 2)


def _head(entry: JsonObject) -> str:
    return f"{human_time(entry['at'])}{GAP}{entry['action']}"


def _details(entry: JsonObject) -> list[str]:
    changes = (
        f"{change['field']}: {change['before']} → {change['after']}" for change in entry["changes"]
    )
    return [printable(text) for text in (entry["reason"], entry["answer"], *changes) if text]


def _about(entry: JsonObject) -> str:
    return printable(_subject(entry, NAMES_SHOWN))


def _subject(entry: JsonObject, most: int) -> str:
    names = entry["subject"].split()
    subject = entry["subject"] if len(names) <= most else _cut(names)
    place = entry["domain"] if entry["domain"] and entry["domain"] not in names else ""
    return f"{subject} ({place})" if place else subject


def _cut(names: Sequence[str]) -> str:
    return f"{' '.join(names[:NAMES_SHOWN])} and {len(names) - NAMES_SHOWN} more"


def _by(entry: JsonObject) -> str:
    return printable(f"by {entry['actor']}, {entry['acted_from']}")
