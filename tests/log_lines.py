"""Events as tests look at them: kept with the fields that their lines have."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from restante.notices.notice_rules import notice_facts_in
from restante.telemetry.event_bus import EventBus, Log
from restante.telemetry.events import EVENTS, Event, FailureEvent, InternalError
from restante.telemetry.log_writer import event_fields


@dataclass
class Lines:
    """A log that keeps its lines."""

    lines: list[tuple[type[Event], dict[str, Any]]] = field(default_factory=list)
    takes_defects: bool = False
    on_event: Callable[[Event], object] = lambda _: None

    def publish(self, event: Event) -> None:
        if isinstance(event, InternalError):
            assert self.takes_defects, repr(event.error)
        list(notice_facts_in(event, 0.0))  # an event that is news has what that takes
        self.lines.append((type(event), fields_of(event)))
        self.on_event(event)

    def of(self, kind: type[Event]) -> list[dict[str, Any]]:
        """Return the fields of each event of a type."""
        return [fields for published, fields in self.lines if published is kind]


def bus_with(lines: Log) -> EventBus:
    """Return a bus that passes every event to the lines."""
    bus = EventBus()
    bus.subscribe(lines.publish, *EVENTS)
    return bus


def fields_of(event: Event) -> dict[str, Any]:
    """Return the fields of an event that its line has; an error as it is."""
    fields = event_fields(event)
    del fields["event"]
    return fields | ({"error": event.error} if isinstance(event, FailureEvent) else {})
