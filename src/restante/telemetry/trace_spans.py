"""Traces of releases, made from events: a release, its drains, and their connections.

    release-requested ─► drain-started … drain-finished
                            └─ delivery-attempt (a connection)

All spans of a release have one trace id, which follows from the id of the release. So the spans of
a drain that goes on after a restart are in the same trace. A drain without a release has a trace of
its own. A release that joins a drain has a span, and the drain stays in the trace of the first one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Final

from restante.telemetry.events import (
    DeliveryAttempt,
    DrainFinished,
    DrainStarted,
    Event,
    ReleaseRequested,
)

TRACED: Final[tuple[type[Event], ...]] = (
    ReleaseRequested,
    DrainStarted,
    DeliveryAttempt,
    DrainFinished,
)
_GOOD_ENDS: Final = frozenset({"quit", "finished"})
_GOOD_RESULTS: Final = ("granted", "nothing-held")  # of a request to release mail

AttributeValue = str | int | float


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """One finished span. Ids are as in OpenTelemetry: 128 and 64 bits."""

    name: str
    trace_id: int
    span_id: int
    parent_id: int | None
    began_at: float  # Unix time
    ended_at: float
    attributes: Mapping[str, AttributeValue]
    error: str = ""  # "" if it went well


@dataclass(frozen=True, slots=True)
class _OpenDrain:
    trace_id: int
    span_id: int
    parent_id: int | None
    began_at: float  # Unix time
    began: float  # monotonic
    requested_by: str


class TraceSpans:
    """Makes spans of the events of one process. Belongs to the event loop."""

    def __init__(
        self,
        now: Callable[[], float],
        monotonic: Callable[[], float],
        take: Callable[[TraceSpan], None],
    ) -> None:
        """`now` is Unix time, `monotonic` in seconds.

        `take` gets each span at its end; it must neither wait nor raise.
        """
        self._now = now
        self._monotonic = monotonic
        self._take = take
        self._drains: dict[str, _OpenDrain] = {}  # by domain
        self._spans = 0

    def hear(self, event: Event) -> None:
        """Follow an event of one of the types `TRACED`."""
        match event:
            case ReleaseRequested():
                self._release(event)
            case DrainStarted():
                self._begin_drain(event)
            case DeliveryAttempt():
                self._connection(event)
            case DrainFinished():
                self._end_drain(event)

    def _release(self, event: ReleaseRequested) -> None:
        if event.release is None:
            return
        at = self._now()
        span_id = _release_span(event.release)
        error = "" if event.result in _GOOD_RESULTS else event.answer
        self._take(
            TraceSpan(
                "release", _trace_of(event.release), span_id, None, at, at, _facts(event), error
            )
        )

    def _begin_drain(self, event: DrainStarted) -> None:
        span_id = self._next_id(event.domain)
        if event.release is None:
            trace_id, parent_id = _trace_of(f"{event.domain} {span_id}"), None
        else:
            trace_id, parent_id = _trace_of(event.release), _release_span(event.release)
        self._drains[event.domain] = _OpenDrain(
            trace_id, span_id, parent_id, self._now(), self._monotonic(), event.requested_by
        )

    def _connection(self, event: DeliveryAttempt) -> None:
        drain = self._drains.get(event.domain)
        if drain is None:
            return
        at = self._time_in(drain)
        error = "" if event.end in _GOOD_ENDS else event.reason or str(event.end)
        self._take(
            TraceSpan(
                "connection",
                drain.trace_id,
                self._next_id(event.domain),
                drain.span_id,
                at - (event.seconds or 0.0),
                at,
                _facts(event),
                error,
            )
        )

    def _end_drain(self, event: DrainFinished) -> None:
        drain = self._drains.pop(event.domain, None)
        if drain is None:
            return
        facts = {**_facts(event), "restante.requested_by": drain.requested_by}
        error = "" if event.end in _GOOD_ENDS else event.reason
        self._take(
            TraceSpan(
                "drain",
                drain.trace_id,
                drain.span_id,
                drain.parent_id,
                drain.began_at,
                self._time_in(drain),
                facts,
                error,
            )
        )

    def _time_in(self, drain: _OpenDrain) -> float:
        """Return Unix time as it goes on from the drain's begin, without steps of the clock."""
        return drain.began_at + self._monotonic() - drain.began

    def _next_id(self, domain: str) -> int:
        self._spans += 1
        return _bits(f"span {domain} {self._now()} {self._spans}", 8)


def _facts(event: Event) -> dict[str, AttributeValue]:
    values = ((each.name, getattr(event, each.name)) for each in fields(event))
    return {f"restante.{name}": value for name, value in values if value is not None}


def _trace_of(name: str) -> int:
    return _bits(f"trace {name}", 16)


def _release_span(release: str) -> int:
    return _bits(f"release {release}", 8)


def _bits(text: str, octets: int) -> int:
    """Return a number that follows from a text and is not 0."""
    return int.from_bytes(sha256(text.encode()).digest()[:octets], "big") or 1
