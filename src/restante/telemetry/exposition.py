"""The metrics as text that Prometheus can read. Only this file needs the metrics library."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from restante.telemetry.event_counts import Counts
from restante.telemetry.metric_types import (
    Counted,
    Exposition,
    LabelValues,
    Metric,
    MetricKind,
    Read,
    State,
)
from restante.telemetry.metrics import METRICS

_OPENMETRICS_END: Final = b"# EOF\n"

_Samples = Mapping[LabelValues, float]


def expose(counts: Counts, state: State, accept: str = "") -> Exposition:
    """Write every metric in the format that an Accept header asks for: OpenMetrics or text."""
    try:
        encode, content_type = choose_encoder(accept)
    except (TypeError, ValueError):  # the library compares what stands there as a version
        encode, content_type = choose_encoder("")
    return Exposition((encode(_Moment(counts, state)),), content_type)


def is_openmetrics(exposition: Exposition) -> bool:
    """Tell whether it is OpenMetrics: then its last line marks the end."""
    return exposition.content_type.startswith("application/openmetrics-text")


def with_more(exposition: Exposition, more: Iterable[bytes]) -> Exposition:
    """Return the exposition with more metrics, written in the same format."""
    if not is_openmetrics(exposition):
        return replace(exposition, pieces=(*exposition.pieces, *more))
    *first, last = exposition.pieces
    last = last.removesuffix(_OPENMETRICS_END)
    return replace(exposition, pieces=(*first, last, *more, _OPENMETRICS_END))


class _Moment(Collector):
    """All metrics at one moment. Made for one answer: no registry exists that others add to."""

    def __init__(self, counts: Counts, state: State) -> None:
        self._counts = counts
        self._state = state

    def collect(self) -> Iterator[Family]:
        """Yield each metric with its samples."""
        for metric in METRICS:
            yield _family(metric, self._samples(metric))

    def _samples(self, metric: Metric) -> _Samples:
        return (
            self._counts.of(metric) if isinstance(metric, Counted) else _read(metric, self._state)
        )


def _read(metric: Read, state: State) -> _Samples:
    value = metric.value(state)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        return {(): value}
    known = product(*(label.values for label in metric.labels))
    samples: dict[LabelValues, float] = dict.fromkeys(known, 0)
    for each, count in value.items():
        samples[each if isinstance(each, tuple) else (each,)] = count
    return samples


def _family(metric: Metric, samples: _Samples) -> Family:
    names = [label.name for label in metric.labels]
    if metric.kind is MetricKind.INFO:
        info = InfoMetricFamily(metric.name, metric.meaning)
        for values in samples:
            info.add_metric([], dict(zip(names, values, strict=True)))
        return info
    kind = CounterMetricFamily if metric.kind is MetricKind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.meaning, labels=names)
    for values, value in samples.items():
        family.add_metric(values, value)
    return family
