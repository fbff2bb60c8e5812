"""A line of the log, for the places that take it."""

from typing import NamedTuple

from restante.telemetry.events.event import EventLevel


class LogLine(NamedTuple):
    """A line, of one event. That of a defect has several rows."""

    text: str  # without the end of the line
    at: str  # its time, as in the text
    level: EventLevel
    event: str  # the name
