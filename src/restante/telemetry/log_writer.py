"""The log: one line per event, on standard error, in a file or to syslog (`log_output`).

The style `json` is for programs, `text` for people. JSON lines follow the schema in the reference;
`v` is its version. It grows when a field is removed or changes its meaning, not when one is added.

Under load there are thousands of lines a second, and a system call for each would cost as much as
making it. So the lines of one turn of the event loop leave together, at its end. Limitation: a kill
can lose the last turn's lines. It never loses mail.
"""

import asyncio
import atexit
import json
import re
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import fields as fields_of
from functools import lru_cache, partial
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from typing import Any, Final, Literal, NamedTuple

from restante.phrases import cause_of
from restante.telemetry.events import EVENTS, Event, FailureEvent, InternalError, ServerStopped
from restante.telemetry.events.event import EventLevel
from restante.telemetry.line_limit import LIMITED, SECONDS, LineLimit
from restante.telemetry.log_line import LogLine
from restante.telemetry.log_output import DivertingOutput, StandardError

LogFormat = Literal["text", "json"]
SCHEMA_VERSION: Final = 1

# Reads back without quotes: no blank, quotation mark, equals sign or control character.
_PLAIN: Final = re.compile(r"[!#-<>-~]+\Z")


_SPECIAL: Final = LIMITED | {ServerStopped}

# By the least level that is written.
_WRITTEN: Final[Mapping[EventLevel, frozenset[EventLevel]]] = {
    "info": frozenset({"info", "warning", "error"}),
    "warning": frozenset({"warning", "error"}),
    "error": frozenset({"error"}),
}


def written_events(least: EventLevel) -> list[type[Event]]:
    """Return the events that have a line, if lines of a lower level are left out."""
    return [event for event in EVENTS if event.level in _WRITTEN[least]]


class LogWriter:
    """Writes a line for each event."""

    def __init__(
        self,
        style: LogFormat = "text",
        monotonic: Callable[[], float] = time.monotonic,
        worker: int = 0,
        output: DivertingOutput | None = None,
        *,
        is_held: bool = False,
    ) -> None:
        """`monotonic` is in seconds. `worker` is the number of this one of several; 0: the only.

        Without `output`, lines go to standard error. While `is_held`, they wait for `begin`.
        """
        self._spell = _speller(style, worker)
        self._output: DivertingOutput | StandardError = output or StandardError(is_alone=not worker)
        self._is_held = is_held
        self._waiting: list[LogLine] = []
        self._limit = LineLimit(monotonic)
        self._is_telling = False
        atexit.register(self.end)

    def write(self, event: Event) -> None:
        """Write a line by the end of this turn of the loop; a failure, or without a loop, now."""
        if type(event) in _SPECIAL and not self._admits(event):
            return
        now = _now()
        self._waiting.append(LogLine(self._spell(event, now), now, event.level, event.event))
        if event.level == "error":  # it may be the last
            self._flush()
        elif len(self._waiting) == 1:
            try:
                asyncio.get_running_loop().call_soon(self._flush)
            except RuntimeError:
                self._flush()

    def _admits(self, event: Event) -> bool:
        """Tell whether a line is written, and see to lines that were left out."""
        if type(event) is ServerStopped:  # it is the last line
            self.end()
        elif not self._limit.allows(event):
            self._tell_later()
            return False
        return True

    def _tell_later(self) -> None:
        """Have the number of lines left out written once the time of their window is over."""
        if not self._is_telling:
            try:
                asyncio.get_running_loop().call_later(SECONDS, self._tell)
            except RuntimeError:
                return  # at the end
            self._is_telling = True

    def _tell(self) -> None:
        self._is_telling = False
        for left_out in self._limit.take_left_out():
            self.write(left_out)
        if self._limit.has_left_out:
            self._tell_later()

    @property
    def failure(self) -> str:
        """The place of the log that takes no lines now, and the cause; "" if it does."""
        return self._output.failure

    def begin(self) -> None:
        """Write the lines that were held, and all others from now on."""
        self._is_held = False
        self._flush()

    def reopen(self) -> None:
        """Write to the place of the log as it is now: it was moved, or works again."""
        self._flush()
        self._output.reopen()

    def end(self) -> None:
        """Write what waits, and the numbers of lines left out. More may be written after it."""
        for left_out in self._limit.take_left_out(at_end=True):
            self.write(left_out)
        if self._is_held:  # its place was never opened
            self._output, self._is_held = StandardError(), False
        self.reopen()

    def _flush(self) -> None:
        if not self._waiting or self._is_held:
            return
        lines, self._waiting = self._waiting, []
        self._output.write(lines)


def _speller(style: LogFormat, worker: int) -> Callable[[Event, str], str]:
    """Return what makes a line of an event and its time."""
    if style == "text":
        return partial(_as_text, more=f" worker={worker}" if worker else "")
    if not worker:
        return json_line
    after_time, name = '"level": ', f'"worker": {worker}, "level": '
    return lambda event, at: json_line(event, at).replace(after_time, name, 1)


def event_fields(event: Event) -> dict[str, Any]:
    """Return an event's name and fields as its line has them: without fields that are None."""
    return _READERS[type(event)](event)


def _reader(kind: type[Event]) -> Callable[[Event], dict[str, Any]]:
    names = tuple(each.name for each in fields_of(kind) if each.name != "error")
    has_options = any(each.default is None for each in fields_of(kind))
    # With a single name it would return no tuple; `event` twice makes two names at least.
    values, keys = attrgetter("event", "event", *names), ("event", "event", *names)

    def read(event: Event) -> dict[str, Any]:
        return dict(zip(keys, values(event), strict=True))

    def read_present(event: Event) -> dict[str, Any]:
        return {name: value for name, value in read(event).items() if value is not None}

    def read_failure(event: Event) -> dict[str, Any]:
        assert isinstance(event, FailureEvent)
        error = event.error
        cause = cause_of(error)
        if isinstance(event, InternalError):  # for its report to the developers
            cause = f"{type(error).__name__}: {cause}"
        return {**read_present(event), "error": cause}

    if issubclass(kind, FailureEvent):
        return read_failure
    return read_present if has_options else read


_READERS: Final = {kind: _reader(kind) for kind in EVENTS}


def _now() -> str:
    second, microsecond = divmod(time.time_ns() // 1000, 1_000_000)
    return f"{_second(second)}.{microsecond:06d}Z"


@lru_cache(maxsize=1)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def _trace(event: Event) -> str:
    """Return a defect's traceback; other errors need none."""
    if not isinstance(event, InternalError):
        return ""
    return "".join(traceback.format_exception(event.error)).rstrip("\n")


# Made once: json.dumps would make one for each line. Fields have types that JSON knows.
_encode: Final = json.JSONEncoder(default=repr).encode


def json_line(event: Event, at: str) -> str:
    """Return an event's line for programs; `at` is its time."""
    # These need no escaping; encoding them with the rest would cost more.
    start = f'{{"v": {SCHEMA_VERSION}, "timestamp": "{at}", "level": "{event.level}", '
    form = _FORMS[type(event)]
    if form is not None:
        return start + form.text % tuple([_json(value) for value in form.values(event)])
    fields = event_fields(event)
    if trace := _trace(event):
        fields["exception"] = trace
    # Each value by itself: `encode` would make an encoder for each dict.
    return start + ", ".join([f'"{name}": {_json(value)}' for name, value in fields.items()]) + "}"


class _Form(NamedTuple):
    """The JSON text of an event whose fields are always there, with a place for each value."""

    text: str
    values: Callable[[Event], tuple[Any, ...]]


def _form(kind: type[Event]) -> _Form | None:
    fields = fields_of(kind)
    if issubclass(kind, FailureEvent) or any(each.default is None for each in fields):
        return None
    names = ["event", *(each.name for each in fields)]
    text = ", ".join(f'"{name}": %s' for name in names)
    return _Form(text + "}", attrgetter(*names)) if len(names) > 1 else None


_FORMS: Final = {kind: _form(kind) for kind in EVENTS}


def _json(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return encode_basestring_ascii(value)
    if kind is tuple:  # mostly of one text
        if len(value) == 1:
            return f"[{encode_basestring_ascii(value[0])}]"
        return f"[{', '.join([encode_basestring_ascii(text) for text in value])}]"
    return str(value) if kind is int else _encode(value)


def _as_text(event: Event, at: str, more: str = "") -> str:
    """Spell a line as `time event key=value …`, quoting what would not read back."""
    fields = event_fields(event)
    name = fields.pop("event")
    shown = ((key, value) for key, value in fields.items() if value not in ("", ()))
    pairs = "".join(f" {key}={_quote(value)}" for key, value in shown)
    mark = "" if event.level == "info" else f" [{event.level}]"
    line = f"{at} {name}{mark}{more}{pairs}"
    trace = _trace(event)
    return "\n".join([line, *map(_quoted_line, trace.splitlines())])


def _quoted_line(line: str) -> str:
    """Spell a line of a traceback so that no text of a stranger in it looks like an event."""
    is_plain = line.isascii() and line.isprintable()
    return f"    {line if is_plain else line.encode('unicode_escape').decode('ascii')}"


def _quote(value: Any) -> str:
    if isinstance(value, tuple):
        value = "; ".join(map(str, value))
    text = value if isinstance(value, str) else str(value)
    if _PLAIN.match(text):
        return text
    return '"' + text.encode("unicode_escape").decode("ascii").replace('"', '\\"') + '"'
