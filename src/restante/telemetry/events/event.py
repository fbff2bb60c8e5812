"""The base of all events, and their form in the log.

Each event is a frozen dataclass, published once. Field types are built-in, so that the log, the
metrics, the notices and whatever subscribes later need no other package. A field has the same name
and meaning in each event (event_fields.py). A field that is None is left out of the line.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

EventLevel = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. Fields are plain values; no field is ever a secret."""

    event: ClassVar[str] = ""  # its name in the log
    level: ClassVar[EventLevel] = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureEvent(Event):
    """Something that went wrong. Its line is written at once, at level error."""

    level: ClassVar[EventLevel] = "error"
    error: BaseException


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningEvent(Event):
    """Something that an operator should know, and that stops no work."""

    level: ClassVar[EventLevel] = "warning"
