"""Lines of the log, counted by the rules of the table of metrics."""

from collections.abc import Callable, Mapping
from itertools import product

from restante.telemetry.events import Event
from restante.telemetry.metrics import METRICS, Counted, Fields, LabelValues

_Sums = dict[LabelValues, float]
_Rule = Callable[[Fields], None]


class Counts:
    """What has been counted since the start. Belongs to the event loop."""

    def __init__(self) -> None:
        self._lines = dict.fromkeys(Event, 0)
        self._sums: dict[
            str, _Sums
        ] = {}  # by name, of metrics that want more than the number of an event's lines
        self._rules: dict[Event, list[_Rule]] = {event: [] for event in Event}
        for metric in METRICS:
            if (
                isinstance(metric, Counted)
                and metric.event is not None
                and (metric.values or metric.amount)
            ):
                sums = _begin(metric)
                self._sums[metric.name] = sums
                self._rules[metric.event].append(_rule(metric, sums))

    def count(self, event: Event, fields: Fields) -> None:
        """Count one line."""
        self._lines[event] += 1
        for rule in self._rules[event]:
            rule(fields)

    def of(self, metric: Counted) -> Mapping[LabelValues, float]:
        """Return what a metric has come to, by the values of its labels."""
        if metric.event is None:
            return {(event,): count for event, count in self._lines.items()}
        return self._sums.get(metric.name, {(): self._lines[metric.event]})


def _begin(metric: Counted) -> _Sums:
    return dict.fromkeys(product(*(label.values for label in metric.labels)), 0)


def _rule(metric: Counted, sums: _Sums) -> _Rule:
    """Return what a line does to a metric. Thousands of lines a second go through it."""
    values, amount, otherwise = metric.values, metric.amount, metric.otherwise

    def add_amount(fields: Fields) -> None:
        sums[()] += fields.get(amount, otherwise)

    def add_labeled(fields: Fields) -> None:
        key = values(fields) if values else ()
        if key is not None:
            sums[key] = sums.get(key, 0) + (fields.get(amount, otherwise) if amount else 1)

    return add_labeled if values else add_amount
