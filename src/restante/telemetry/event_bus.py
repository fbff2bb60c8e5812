"""Publishing of events to their subscribers.

Each part publishes an event once. The log writer, the metrics and the notices subscribe
(server start wires them), and no part knows who else does.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from restante.telemetry.events import EVENTS, Event

_E = TypeVar("_E", bound=Event)


class Log(Protocol):
    """Takes events. Tests pass one that keeps them."""

    def publish(self, event: Event) -> None:
        """Tell everybody who subscribed."""


_Handlers = tuple[Callable[[Any], None], ...]
_Shorten = Callable[[Any], Event]


class EventBus:
    """Tells each event to its subscribers, in the order of subscription. Belongs to the loop."""

    def __init__(self) -> None:
        self._routes: dict[type[Event], tuple[_Shorten | None, _Handlers]] = dict.fromkeys(
            EVENTS, (None, ())
        )

    def subscribe(self, handler: Callable[[_E], None], *events: type[_E]) -> None:
        """Call `handler` for each event of these types. It must not raise."""
        for event in events:
            shorten, handlers = self._routes[event]
            self._routes[event] = shorten, (*handlers, handler)

    def shorten_by(self, shorteners: Mapping[type[Event], _Shorten]) -> None:
        """Have events of these types replaced before any subscriber gets them; all others stay.

        A shortener returns an event of the same type. It must not raise.
        """
        for event, (_, handlers) in self._routes.items():
            self._routes[event] = shorteners.get(event), handlers

    def publish(self, event: Event) -> None:
        """Tell everybody who subscribed to the event's type."""
        shorten, handlers = self._routes[type(event)]
        if shorten is not None:
            event = shorten(event)
        for handler in handlers:
            handler(event)
