"""`restante trace-session`: SMTP dialogues of the running server as they happen."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from restante.cli.api_client import connected, connected_at
from restante.cli.display import JsonObject, say, screen_width
from restante.cli.failures import Exit, Failure, printable, warn
from restante.cli.options import ConfigOption, JsonOption, ReasonOption
from restante.cli.table import INDENT, fold
from restante.mail.quantity import read_span

_SILENCE_SECONDS: Final = 60.0  # the server sends a line every 15 s
_UNFOLDED: Final = sys.maxsize
_MOST_SECONDS: Final = 3600  # as in `session_traces`
_ROUTE: Final = "/v1/session-traces"
_MARKS: Final = {"client": "C:", "server": "S:"}


def trace_session(
    *,
    source: Annotated[
        str,
        typer.Option("--source", metavar="CIDR", help="Address or network of the clients."),
    ],
    for_: Annotated[
        str,
        typer.Option("--for", metavar="SPAN", help="Length of the trace, at most 1h."),
    ] = "60s",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show SMTP sessions of the running server as they happen, also inside TLS.

    C: is the client, S: this server, and other lines are about the session. Passwords, answers to
    AUTH and content are masked. A password that a client sends as part of another command cannot be
    recognized. Each use is in the audit trail. The trace never delays mail: lines that are not read
    in time are dropped, and their number is shown. With several workers, the sessions of all are
    shown.
    """
    order = {"source": source, "seconds": _seconds(for_), "reason": reason}
    try:
        asyncio.run(_show(config, order, as_json=as_json))
    except KeyboardInterrupt:
        return


def _seconds(text: str) -> int:
    try:
        seconds = read_span(text)
    except ValueError as error:
        raise Failure(Exit.USAGE, f"--for: {error}") from None
    if not 0 < seconds <= _MOST_SECONDS:
        raise Failure(Exit.USAGE, f"--for: {text} is not from 1s to 1h; write such a span")
    return seconds


async def _show(config: Path | None, order: dict[str, Any], *, as_json: bool) -> None:
    async with connected(
        config, seconds=_SILENCE_SECONDS, is_streaming=True, needs_server="trace-session"
    ) as api:
        lines = api.lines(_ROUTE, body=order)
        begin = await anext(lines)
        _say_line(begin, as_json=as_json)
        others = begin.get("other_sockets", {}).items()
        await asyncio.gather(
            _say_lines(lines, as_json=as_json),
            *(_show_other(worker, Path(at), order, as_json=as_json) for worker, at in others),
        )


async def _show_other(worker: str, place: Path, order: JsonObject, *, as_json: bool) -> None:
    """Show the sessions of another worker. If it fails, say so: the trace of the others goes on."""
    try:
        async with connected_at(place, seconds=_SILENCE_SECONDS) as api:
            await _say_lines(api.lines(_ROUTE, body=order), as_json=as_json)
    except Failure as failure:
        warn(f"worker {worker} is not traced: {text}" for text in failure.texts)


async def _say_lines(lines: AsyncIterator[JsonObject], *, as_json: bool) -> None:
    async for line in lines:
        _say_line(line, as_json=as_json)


def _say_line(line: JsonObject, *, as_json: bool) -> None:
    if as_json:
        say(json.dumps(line))
    else:
        width = screen_width() if sys.stdout.isatty() else _UNFOLDED  # for grep
        for text in trace_texts(line, width):
            say(text)
    sys.stdout.flush()


def trace_texts(line: JsonObject, width: int) -> Iterator[str]:
    """Yield the lines of text of one line of a trace."""
    if line["kind"] == "alive":
        return
    clock, mark = line["at"][11:23].rstrip("Z"), _MARKS.get(line["kind"], "--")
    session = f"{line['session']} " if "session" in line else ""
    text = printable(f"{clock} {session}{mark} {_worker(line)}{line['text']}")
    yield from fold(text, width, "", INDENT)


def _worker(line: JsonObject) -> str:
    """Name the process that a trace begins with, if there are several."""
    if line.get("workers", 1) == 1:
        return ""
    return f"worker {line['worker']} of {line['workers']}: "
