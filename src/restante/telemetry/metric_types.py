"""The shapes of metrics: counted events, values that are read, and their labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from restante.telemetry.events import Event
from restante.telemetry.process_figures import ProcessFacts

E = TypeVar("E", bound=Event)
LabelValues = tuple[str, ...]  # in the order of a metric's labels


class MetricKind(StrEnum):
    """The kinds of metric, in the words of OpenMetrics."""

    COUNTER = "counter"  # only grows, from 0 at the start; its published name ends in _total
    GAUGE = "gauge"  # goes up and down
    INFO = "info"  # always 1, with the facts as labels; its published name ends in _info


@dataclass(frozen=True, slots=True)
class WebRequestFigures:
    """The requests to the `web` listeners since the start."""

    ended: Mapping[LabelValues, int]  # by route and class of the status
    seconds: Mapping[LabelValues, float]  # by route
    running: int  # now


@dataclass(frozen=True, slots=True)
class State:
    """The state of the server at one moment. Times are Unix time, ages are seconds."""

    held_messages: int
    refused_messages: int
    stored_octets: int
    domains_with_mail: int
    oldest_message_age: float | None  # None: the store cannot say
    sessions_open: Mapping[str, int]  # by service
    sessions_unauthenticated: int
    sessions_ended: Mapping[LabelValues, int]  # by the end, and whether within content
    octets_in_flight: int
    batches_held: int
    batch_seconds: float  # that the commits of these batches took
    drains: Mapping[str, int]  # by state
    delivery_connections: int
    disk_free: int | None  # octets; None: no limit
    disk_reserve: int  # octets
    is_room_short: bool
    is_store_away: bool
    are_objects_away: bool
    nodes: Mapping[str, int] | None  # by state; None: a store of one server, or it cannot say
    is_mail_at_risk: bool  # one machine's loss could lose acknowledged mail
    clock_offset: float | None  # seconds ahead of the database; None: it has no clock
    damaged_messages: int | None  # None: the store cannot say
    uncertain_messages: int | None
    scrubbed_at: float  # 0: none since the start
    reports_waiting: int | None  # None: the store cannot say
    notices_waiting: int | None
    trace_spans_dropped: int
    certificate_expires_at: float
    started_at: float
    version: str
    process: ProcessFacts
    loop_lag: float  # the longest of the last one to two minutes
    web_requests: WebRequestFigures


@dataclass(frozen=True, slots=True)
class Exposition:
    """All metrics as text: the body of a response in pieces, and its content type."""

    pieces: tuple[bytes, ...]  # of a hundred kilobytes at most: there may be many megabytes
    content_type: str

    @property
    def body(self) -> bytes:
        """The pieces together."""
        return b"".join(self.pieces)


@dataclass(frozen=True, slots=True)
class MetricLabel:
    """A label, and the values that exist from the start.

    A series that starts at 0 shows its first event as an increase.
    """

    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted(Generic[E]):
    """A counter of events, or of a number that they have."""

    name: str
    meaning: str
    event: type[E] | None  # None: every event, by its name
    labels: tuple[MetricLabel, ...] = ()
    # Returns the labels' values, or None for an event that does not count.
    values: Callable[[E], LabelValues | None] | None = None
    amount: Callable[[E], int] | None = None  # the number to add; None: events are counted

    @property
    def kind(self) -> MetricKind:
        """Return COUNTER: events are never taken back."""
        return MetricKind.COUNTER


@dataclass(frozen=True, slots=True)
class Read:
    """A metric whose value is read from the state."""

    name: str
    kind: MetricKind
    meaning: str
    # A metric with a label returns a mapping by the label's value, one with several by all values.
    value: Callable[[State], float | Mapping[str, int] | Mapping[LabelValues, float] | None]
    labels: tuple[MetricLabel, ...] = ()


Metric = Counted[Any] | Read
