"""The log: one line per transaction, request, drain and attempt, with a closed set of event names.

Lines go to standard error, for the service manager to keep; `json` for programs, `text` for people. No secret is ever a
field: callers pass names and outcomes, never what was typed.

Under load there are thousands a second, and a system call for each would cost as much as making it. So the lines of one
turn of the event loop leave together, at its end. A kill can take the last turn's lines with it, and mail never.
"""

import asyncio
import atexit
import json
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Literal, Protocol

import structlog

from restante.telemetry.events import Event

Format = Literal["text", "json"]
Listener = Callable[[Event, dict[str, Any]], None]  # a line's event and its fields

_PLAIN = re.compile(
    r"[!#-<>-~]+\Z"
)  # reads back without quotes: no blank, quotation mark, equals sign, control


class Log(Protocol):
    """Where events are written. Tests pass a list-keeping one."""

    def write(self, event: Event, **fields: Any) -> None:
        """Write one line; `fields` are plain values."""

    def failure(self, event: Event, error: BaseException, **fields: Any) -> None:
        """Write one line at level error, with where the error happened."""


class StructuredLog:
    """Writes events through structlog to standard error."""

    def __init__(self, style: Format = "text", *listeners: Listener) -> None:
        """Each of `listeners` is told of every line."""
        # Bound at once: a logger that is not assembles itself anew for every line.
        self._logger = structlog.wrap_logger(_Lines(), processors=_processors(style)).bind()
        self._listeners = listeners

    def write(self, event: Event, **fields: Any) -> None:
        """Write one line."""
        self._tell(event, fields)
        self._logger.info(str(event), **fields)

    def failure(self, event: Event, error: BaseException, **fields: Any) -> None:
        """Write one line with the error's text; a defect also gets its traceback."""
        self._tell(event, fields)
        trace = error if event is Event.INTERNAL_ERROR else None
        self._logger.error(
            str(event), error=f"{type(error).__name__}: {error}", exc_info=trace, **fields
        )

    def _tell(self, event: Event, fields: dict[str, Any]) -> None:
        for listener in self._listeners:
            listener(event, fields)


class _Lines:
    """Standard error, as structlog calls it."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        atexit.register(self._write)

    def info(self, line: str) -> None:
        """Write a line by the end of this turn of the loop; without a loop, now."""
        self._waiting.append(line)
        if len(self._waiting) > 1:
            return
        try:
            asyncio.get_running_loop().call_soon(self._write)
        except RuntimeError:
            self._write()

    def error(self, line: str) -> None:
        """Write a line now: it may be the last."""
        self._waiting.append(line)
        self._write()

    def _write(self) -> None:
        if not self._waiting:
            return
        lines = "".join(f"{line}\n" for line in self._waiting)
        self._waiting.clear()
        sys.stderr.write(lines)
        sys.stderr.flush()


def _processors(style: Format) -> list[structlog.typing.Processor]:
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    common: list[structlog.typing.Processor] = [stamp, structlog.processors.add_log_level]
    if style == "json":
        return [*common, structlog.processors.format_exc_info, _render_json]
    return [*common, structlog.processors.format_exc_info, _render_text]


_encode = json.JSONEncoder(
    default=repr
).encode  # made once: json.dumps with a default makes one for each line


def _render_json(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> str:
    return _encode(fields)


def _render_text(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> str:
    """Spell a line as `time event key=value …`, quoting what would not read back."""
    time, event, level = fields.pop("timestamp"), fields.pop("event"), fields.pop("level")
    trace = fields.pop("exception", None)
    pairs = " ".join(
        f"{key}={_quote(value)}" for key, value in fields.items() if value not in (None, "")
    )
    mark = "" if level == "info" else f" [{level}]"
    line = f"{time} {event}{mark} {pairs}".rstrip()
    return f"{line}\n{trace}" if trace else line


def _quote(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    if _PLAIN.match(text):
        return text
    return '"' + text.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'
