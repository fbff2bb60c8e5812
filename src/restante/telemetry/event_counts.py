"""Events, counted by the rules of the table of metrics."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

from restante.telemetry.events import EVENTS, Event
from restante.telemetry.metric_types import Counted, E, LabelValues
from restante.telemetry.metrics import METRICS

_MetricSums = dict[LabelValues, float]
_CountRule = Callable[[Any], None]  # takes an event of the type that the rule is for


class Counts:
    """The counts since the start. Belongs to the event loop."""

    def __init__(self) -> None:
        self._events = dict.fromkeys(EVENTS, 0)
        # By name, of metrics that need more than the number of an event.
        self._sums: dict[str, _MetricSums] = {}
        self._rules: dict[type[Event], list[_CountRule]] = {event: [] for event in EVENTS}
        for metric in METRICS:
            if (
                isinstance(metric, Counted)
                and metric.event is not None
                and (metric.values or metric.amount)
            ):
                sums = _begin(metric)
                self._sums[metric.name] = sums
                self._rules[metric.event].append(_rule(metric, sums))

    def count(self, event: Event) -> None:
        """Count one event."""
        kind = type(event)
        self._events[kind] += 1
        for rule in self._rules[kind]:
            rule(event)

    def of(self, metric: Counted[Any]) -> Mapping[LabelValues, float]:
        """Return what a metric has come to, by the values of its labels."""
        if metric.event is None:
            return {(kind.event,): count for kind, count in self._events.items()}
        return self._sums.get(metric.name, {(): self._events[metric.event]})


def _begin(metric: Counted[Any]) -> _MetricSums:
    return dict.fromkeys(product(*(label.values for label in metric.labels)), 0)


def _rule(metric: Counted[E], sums: _MetricSums) -> Callable[[E], None]:
    """Return what an event does to a metric. Thousands of events a second go through it."""
    values, amount = metric.values, metric.amount

    def add_labeled(event: E) -> None:
        key = values(event) if values else ()
        if key is not None:
            sums[key] = sums.get(key, 0) + (amount(event) if amount else 1)

    return add_labeled
