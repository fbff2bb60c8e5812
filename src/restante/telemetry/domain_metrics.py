"""The metrics that have a domain's name as a label, and their text. Pure.

Only here is a label the choice of a customer. The number of domains is bounded by the setting
`metrics.domains` (domain_choice.py); all others are summed under a name that no domain can have.
The text is written in pieces, without the metrics library. Ten thousand domains have a hundred
thousand samples, which take the library a second.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from restante.telemetry.domain_counts import DomainTotals
from restante.telemetry.metric_types import MetricKind, MetricLabel

OTHER: Final = "(other)"  # the name for all domains without metrics of their own
LINES_AT_ONCE: Final = 1000  # in one piece of text: about a millisecond

DOMAIN: Final = MetricLabel("domain")


@dataclass(frozen=True, slots=True)
class DomainFigures:
    """One domain, or all the others, at one moment. None: unknown, or there is none."""

    name: str
    held: int  # messages
    refused: int  # messages
    octets: int  # of both
    oldest_age: float | None  # seconds; 0 without mail
    totals: DomainTotals
    is_up: bool | None  # the destination
    drains: int
    quota_used: float | None  # 1: full
    last_release: float | None  # Unix time
    last_drill: float | None = None  # that passed; Unix time


@dataclass(frozen=True, slots=True)
class DomainMetric:
    """A metric with one sample for each domain; none where its value is None."""

    name: str
    kind: MetricKind
    meaning: str
    value: Callable[[DomainFigures], float | None]

    @property
    def labels(self) -> tuple[MetricLabel, ...]:
        """The domain alone."""
        return (DOMAIN,)


DOMAIN_METRICS: Final = (
    DomainMetric(
        "restante_domain_held_messages",
        MetricKind.GAUGE,
        "Messages of a domain that a release would hand over.",
        lambda domain: domain.held,
    ),
    DomainMetric(
        "restante_domain_refused_messages",
        MetricKind.GAUGE,
        "Messages of a domain that its destination refused.",
        lambda domain: domain.refused,
    ),
    DomainMetric(
        "restante_domain_stored_octets",
        MetricKind.GAUGE,
        "Octets of the held and refused messages of a domain.",
        lambda domain: domain.octets,
    ),
    DomainMetric(
        "restante_domain_oldest_message_age_seconds",
        MetricKind.GAUGE,
        "Age of the oldest held message of a domain; 0 if there is none. The oldest of all others.",
        lambda domain: domain.oldest_age,
    ),
    DomainMetric(
        "restante_domain_messages_delivered",
        MetricKind.COUNTER,
        "Messages of a domain that its destination accepted.",
        lambda domain: domain.totals.delivered,
    ),
    DomainMetric(
        "restante_domain_recipients_deferred",
        MetricKind.COUNTER,
        "Recipients of a domain that its destination deferred.",
        lambda domain: domain.totals.deferred,
    ),
    DomainMetric(
        "restante_domain_recipients_refused_by_destination",
        MetricKind.COUNTER,
        "Recipients of a domain that its destination refused.",
        lambda domain: domain.totals.refused,
    ),
    DomainMetric(
        "restante_domain_destination_up",
        MetricKind.GAUGE,
        "1 if the destination of a domain answers, 0 if it does not; absent while unknown.",
        lambda domain: domain.is_up,
    ),
    DomainMetric(
        "restante_domain_drains",
        MetricKind.GAUGE,
        "1 while a domain has a drain, else 0. The number of drains of all others.",
        lambda domain: domain.drains,
    ),
    DomainMetric(
        "restante_domain_quota_used_ratio",
        MetricKind.GAUGE,
        "Used part of a domain's quota, 1: full; absent without one. The fullest of all others.",
        lambda domain: domain.quota_used,
    ),
    DomainMetric(
        "restante_domain_last_release_timestamp_seconds",
        MetricKind.GAUGE,
        "Unix time of the last granted release request for a domain; absent without one.",
        lambda domain: domain.last_release,
    ),
    DomainMetric(
        "restante_domain_last_drill_success_timestamp_seconds",
        MetricKind.GAUGE,
        "Unix time of the last drill of a domain that passed; absent without one.",
        lambda domain: domain.last_drill,
    ),
)


def domain_text(domains: Sequence[DomainFigures], *, is_openmetrics: bool) -> Iterator[str]:
    """Yield the metrics of these domains in pieces, in the text format or in OpenMetrics."""
    names = [_escaped(domain.name) for domain in domains]
    for metric in DOMAIN_METRICS:
        shown = metric.name + ("_total" if metric.kind is MetricKind.COUNTER else "")
        family = metric.name if is_openmetrics else shown
        yield f"# HELP {family} {metric.meaning}\n# TYPE {family} {metric.kind}\n"
        value = metric.value
        for begin in range(0, len(domains), LINES_AT_ONCE):
            piece = slice(begin, begin + LINES_AT_ONCE)
            yield "".join(
                f'{shown}{{domain="{name}"}} {sample + 0}\n'  # a bool becomes a number
                for name, domain in zip(names[piece], domains[piece], strict=True)
                if (sample := value(domain)) is not None
            )


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
