"""`restante top`: show held mail and drains, live.

A rate is computed from two samples of a drain's deliveries. At the first sample it covers the whole
drain.
"""

import asyncio
import contextlib
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from restante.cli.api_client import STATUS_SECONDS, ask, connected
from restante.cli.color import TextTone, tone_of_cell, tone_of_words
from restante.cli.display import (
    Column,
    amounts,
    drain_state_words,
    human_size,
    say,
    screen_width,
    show_json,
    show_table,
    text_column,
)
from restante.cli.failures import printable
from restante.cli.options import ConfigOption, JsonOption
from restante.cli.status_command import health_lines
from restante.cli.table import INDENT, fold
from restante.cli.text_width import width_of
from restante.cli.times import age_of, error_text, primary_text, span, unix_time
from restante.cli.top_keys import TopControls, read_keys
from restante.mail.quantity import counted

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

REFRESH_SECONDS: Final = 1.0
WINDOW: Final = 10  # samples of a rate: single seconds vary too much
_ROWS_AROUND: Final = 10  # lines of the screen without a domain and without health
_PROBLEMS_SHOWN: Final = 3
_ROOMY: Final = 20  # lines of a screen with room for problems
_TENTHS_BELOW: Final = 10
_GAP: Final = 3  # characters between two columns of the table
_DISPENSABLE: Final = (
    "CONN",
    "REFUSED",
    "PRIMARY",
    "OLDEST",
    "SIZE",
    "ASKED FOR",
    "DRAIN",
    "MSG/S",
)

View = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TopLine:
    """One domain."""

    domain: str
    held: int
    octets: int
    refused: int
    uncertain: int
    damaged: int
    oldest: float | None  # seconds ago
    asked: float | None  # seconds ago
    primary: str  # state of its destination
    state: str  # of its drain; "" without one
    is_suspended: bool
    connections: int
    rate: float | None  # messages a second; None without a drain
    left: float | None  # seconds, at this rate

    def rank(self, order: str = "drain") -> tuple[float | bool | str, ...]:
        """Return the sort key of an order in `top_keys.ORDERS`. "drain": drains, then most mail."""
        match order:
            case "held":
                return -self.held, self.domain
            case "size":
                return -self.octets, self.domain
            case "oldest":
                return -(self.oldest or 0.0), self.domain
            case "name":
                return (self.domain,)
        return not self.state, -self.held - self.parked, self.domain

    @property
    def parked(self) -> int:
        """Messages that no drain takes."""
        return self.refused + self.uncertain + self.damaged


class StatusSamples:
    """The last samples of the status, oldest first."""

    def __init__(self) -> None:
        self._views: deque[View] = deque(maxlen=WINDOW + 1)

    def add(self, view: View) -> list[TopLine]:
        """Add a sample. Return a line for each domain with mail or a drain."""
        self._views.append(view)
        drains = {drain["domain"]: drain for drain in view["drains"]}
        lines = [self._line(domain, drains.get(domain["domain"])) for domain in view["domains"]]
        return sorted(
            (line for line in lines if line.held or line.parked or line.state), key=TopLine.rank
        )

    def _line(self, domain: View, drain: View | None) -> TopLine:
        now = unix_time(self._views[-1]["at"])
        held = domain["held"]
        rate = None if drain is None else self._rate(drain)
        return TopLine(
            domain=domain["domain"],
            held=held,
            octets=domain["octets"],
            refused=domain["refused"],
            uncertain=domain["uncertain"],
            damaged=domain["damaged"],
            oldest=age_of(domain["oldest_at"], now),
            asked=age_of(domain["last_request_at"], now),
            primary=primary_text(domain["primary"], now),
            state=_state(drain, now) if drain else "",
            is_suspended=domain["hold"] == "suspended",
            connections=drain["connections"] if drain else 0,
            rate=rate,
            left=held / rate if rate else None,
        )

    def _rate(self, drain: View) -> float:
        """Return messages a second since the oldest sample of this drain, or as the server says."""
        now = unix_time(self._views[-1]["at"])
        for view in self._views:
            before = next((one for one in view["drains"] if _is_same(one, drain)), None)
            if before is not None and unix_time(view["at"]) < now:
                return float(drain["delivered"] - before["delivered"]) / (
                    now - unix_time(view["at"])
                )
        return float(drain["rate"])


def top(
    *,
    once: Annotated[bool, typer.Option("--once", help="Show it once and exit.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show held mail and drains by domain, live, with rates and remaining times.

    Keys: q exits, s changes the order, / filters by a part of the name. Only domains with mail or
    a drain are shown, drains first. A rate is messages a second over the last ten seconds, or at
    first since the drain started. --json prints the status once. Without a terminal, such as in a
    pipe, it shows it once and exits.
    """
    if once or as_json or not is_on_terminal():
        _show_once(ask(config, "GET", "/v1/status", seconds=STATUS_SECONDS), as_json=as_json)
        return
    try:
        asyncio.run(_watch(config))
    except KeyboardInterrupt:
        return


def is_on_terminal() -> bool:
    """Return whether somebody watches the output."""
    return sys.stdout.isatty()


COLUMNS: Final = (
    text_column("DOMAIN", "domain"),
    Column("HELD", lambda line: line["held"], is_number=True),
    Column("SIZE", lambda line: human_size(line["octets"]), is_number=True),
    Column("REFUSED", lambda line: line["refused"] or "", is_number=True),
    Column("UNCERTAIN", lambda line: line["uncertain"] or "", is_number=True),
    Column("DAMAGED", lambda line: line["damaged"] or "", is_number=True),
    Column("OLDEST", lambda line: span(line["oldest"]), is_number=True),
    Column("ASKED FOR", lambda line: span(line["asked"]), is_number=True),
    text_column("PRIMARY", "primary"),
    Column("DRAIN", lambda line: line["state"] or ("suspended" if line["is_suspended"] else "")),
    Column("CONN", lambda line: line["connections"] or "", is_number=True),
    Column("MSG/S", lambda line: _rate_text(line["rate"]), is_number=True),
    Column("LEFT", lambda line: span(line["left"]), is_number=True),
)


def _show_once(view: View, *, as_json: bool) -> None:
    lines = StatusSamples().add(view)
    rows = [_row(line) for line in lines]
    if as_json:
        show_json({"at": view["at"], "domains": rows})
        return
    for text, mark in health_lines(view):
        say(text, mark=mark)
    for text in headline(view, lines):
        for line in fold(text, screen_width(), "", INDENT):
            say(line)
    say("")
    show_table(rows, _columns(lines))


async def _watch(config: Path | None) -> None:
    from rich.live import Live  # noqa: PLC0415  heavy

    looks, controls, pressed = StatusSamples(), TopControls(), asyncio.Event()

    def press(key: str) -> None:
        controls.press(key)
        pressed.set()

    async with connected(config, seconds=STATUS_SECONDS, needs_server="top") as api:
        with (
            Live(screen=True, auto_refresh=False) as live,
            read_keys(asyncio.get_running_loop().add_reader, press),
        ):
            while not controls.is_over:
                view = await api.ask("GET", "/v1/status")
                lines = looks.add(view)
                await _show_until_due(live, view, lines, controls, pressed)


async def _show_until_due(
    live: "Live",
    view: View,
    lines: Sequence[TopLine],
    controls: TopControls,
    pressed: asyncio.Event,
) -> None:
    """Show a look until the next is due; a key shows it again at once."""
    due = time.monotonic() + REFRESH_SECONDS
    while not controls.is_over and (left := due - time.monotonic()) > 0:
        live.update(screen(view, lines, *live.console.size, controls=controls), refresh=True)
        pressed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left):
                await pressed.wait()


def chosen(lines: Sequence[TopLine], controls: TopControls) -> list[TopLine]:
    """Return the lines that the filter lets through, in the order that is set."""
    found = [line for line in lines if controls.filter.casefold() in line.domain]
    return sorted(found, key=lambda line: line.rank(controls.order))


def screen(
    view: View, lines: Sequence[TopLine], width: int, height: int, controls: TopControls
) -> "Group":
    """Return what fills a screen of so many columns and rows."""
    from rich.console import Group  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    lines = chosen(lines, controls)
    health = health_lines(view)[: _PROBLEMS_SHOWN + 1 if height >= _ROOMY else 1]
    room = max(1, height - _ROWS_AROUND - len(health))
    more = (
        f"… and {counted(len(lines) - room, 'more domain')}; `restante status` has all"
        if len(lines) > room
        else ""
    )
    errors = [
        f"{drain['domain']}: {error_text(drain)}" for drain in view["drains"] if drain["last_error"]
    ]
    notes = [more, *(errors[:3] if errors else [])]
    others = [(text, "") for text in (*headline(view, lines), controls.line)]
    heads = [
        _head(text, mark, "bold" if place == 0 else "")
        for place, (text, mark) in enumerate([*health, *others])
    ]
    return Group(
        *heads,
        _table(lines[:room], width),
        *(Text(printable(note), no_wrap=True, overflow="ellipsis") for note in notes if note),
    )


def _head(text: str, mark: str, style: str) -> "Text":
    """Return a line above the table; `mark` is the part that says how good it is."""
    from rich.text import Text  # noqa: PLC0415

    line = Text(text, style=style, no_wrap=True, overflow="ellipsis")
    if mark:
        start = text.index(mark)
        line.stylize(_style(tone_of_words(mark)), start, start + len(mark))
    return line


def _style(tone: TextTone | None) -> str:
    """Return the style of a tone for rich, which shows it where a person wants color."""
    return {TextTone.BAD: "red", TextTone.WARNING: "magenta", TextTone.GOOD: "green", None: ""}[
        tone
    ]


def _table(lines: Sequence[TopLine], width: int) -> "Table":
    """Return the domains as a table that fits the width."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    wanted = _columns(lines)
    texts = [[printable(column.cell(_row(line))) for column in wanted] for line in lines]
    columns, cells = fitting(wanted, texts, width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.is_number else "left",
            no_wrap=True,
            overflow="ellipsis",
        )
    for line, row in zip(lines, cells, strict=True):
        toned = (
            Text(text, style=_style(tone_of_cell(column.title, text)))
            for column, text in zip(columns, row, strict=True)
        )
        table.add_row(*toned, style="bold" if line.state else "")
    return table


def _columns(lines: Sequence[TopLine]) -> Sequence[Column]:
    """Omit columns without a value in any line: nothing is watched, uncertain or damaged."""
    empty = {
        name.upper()
        for name in ("primary", "uncertain", "damaged")
        if not any(getattr(line, name) for line in lines)
    }
    return [one for one in COLUMNS if one.title not in empty]


def fitting(
    columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int
) -> tuple[list[Column], list[list[str]]]:
    """Omit columns, the least needed first, until the rest fits. Domain names are cut last."""
    places = list(range(len(columns)))
    widths = [
        max(map(width_of, (column.title, *column_cells)))
        for column, column_cells in _by_column(columns, cells)
    ]
    for title in _DISPENSABLE:
        if sum(widths[place] + _GAP for place in places) <= width:
            break
        places = [place for place in places if columns[place].title != title]
    return [columns[place] for place in places], [
        [line[place] for place in places] for line in cells
    ]


def _by_column(
    columns: Sequence[Column], cells: Sequence[Sequence[str]]
) -> Iterator[tuple[Column, list[str]]]:
    return ((column, [line[place] for line in cells]) for place, column in enumerate(columns))


def headline(view: View, lines: Sequence[TopLine]) -> list[str]:
    """Return what is said above the table."""
    sessions = sum(listener["sessions"] for listener in view["listeners"])
    rate = sum(line.rate or 0.0 for line in lines)
    connections = sum(line.connections for line in lines)
    drains = f"drains: {len(view['drains'])}, connections: {connections}, messages/s: {rate:.0f}"
    return [
        f"restante {view['version']}  {view['at'][:19].replace('T', ' ')}Z",
        f"{amounts(view)}; {drains}; sessions: {sessions}{_waiting(view)}",
    ]


def _waiting(view: View) -> str:
    """Say what waits to be sent, if anything does."""
    backlogs = (("report", view["reports"]["waiting"]), ("notice", view["notices"]["waiting"]))
    said = ", ".join(counted(count, thing) for thing, count in backlogs if count)
    return f"; waiting: {said}" if said else ""


def _row(line: TopLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in TopLine.__slots__}


def _rate_text(rate: float | None) -> str:
    if rate is None:
        return ""
    return f"{rate:.1f}" if rate < _TENTHS_BELOW else f"{rate:.0f}"


def _state(drain: View, now: float) -> str:
    if drain["next_attempt_at"] is None:
        return drain_state_words(drain)
    return f"retries in {span(unix_time(drain['next_attempt_at']) - now)}"


def _is_same(one: View, other: View) -> bool:
    return bool(one["domain"] == other["domain"] and one["started_at"] == other["started_at"])
