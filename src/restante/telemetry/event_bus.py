"""Publishing of events to their subscribers.

Each part publishes an event once. The log writer, the metrics and the notices subscribe
(server start wires them), and no part knows who else does.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from restante.telemetry.events import EVENTS, Event

_E = TypeVar("_E", bound=Event)


class Log(Protocol):
    """Takes events. Tests pass one that keeps them."""

    def publish(self, event: Event) -> None:
        """Tell everybody who subscribed."""


class EventBus:
    """Tells each event to its subscribers, in the order of subscription. Belongs to the loop."""

    def __init__(self) -> None:
        self._subscribers: dict[type[Event], tuple[Callable[[Any], None], ...]] = dict.fromkeys(
            EVENTS, ()
        )

    def subscribe(self, handler: Callable[[_E], None], *events: type[_E]) -> None:
        """Call `handler` for each event of these types. It must not raise."""
        for event in events:
            self._subscribers[event] += (handler,)

    def publish(self, event: Event) -> None:
        """Tell everybody who subscribed to the event's type."""
        for handler in self._subscribers[type(event)]:
            handler(event)
