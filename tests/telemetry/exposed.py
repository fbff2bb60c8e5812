"""The metrics of a server, read back by the parsers that will read them."""

from typing import Final

from prometheus_client.parser import text_string_to_metric_families as read_text

from restante.telemetry.event_counts import Counts
from restante.telemetry.exposition import expose
from restante.telemetry.metric_types import MetricLabel, State, WebRequestFigures
from restante.telemetry.metrics import METRICS
from restante.telemetry.process_figures import ProcessFacts

Sample = tuple[str, tuple[tuple[str, str], ...]]


OPENMETRICS: Final = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


STATE: Final = State(
    held_messages=3,
    refused_messages=1,
    stored_octets=4096,
    domains_with_mail=2,
    oldest_message_age=60.5,
    sessions_open={"mx": 7, "smtps": 0},
    sessions_unauthenticated=6,
    sessions_ended={("quit", "false"): 12, ("timed-out", "true"): 1},
    octets_in_flight=65536,
    batches_held=5,
    batch_seconds=0.5,
    drains={"delivering": 2},
    delivery_connections=4,
    disk_free=1000,
    disk_reserve=2000,
    is_room_short=True,
    is_store_away=True,
    are_objects_away=True,
    nodes={"serving": 2, "silent": 1},
    is_mail_at_risk=True,
    clock_offset=-0.25,
    damaged_messages=6,
    uncertain_messages=9,
    scrubbed_at=1.7e9,
    reports_waiting=8,
    notices_waiting=2,
    trace_spans_dropped=4,
    certificate_expires_at=1.9e9,
    started_at=1.8e9,
    version="1.2.3",
    process=ProcessFacts(1.5, 2**20, 30, 1024),
    loop_lag=0.125,
    web_requests=WebRequestFigures(
        ended={("/v1/status", "2xx"): 5, ("(none)", "4xx"): 2},
        seconds={("/v1/status",): 0.25},
        running=1,
    ),
)


def shown(counts: Counts, state: State = STATE) -> dict[Sample, float]:
    """Return every sample of the text, as Prometheus reads it."""
    families = read_text(expose(counts, state).body.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def label(metric: str, name: str) -> MetricLabel:
    [found] = [
        each
        for known in METRICS
        if known.name == metric
        for each in known.labels
        if each.name == name
    ]
    return found


def spelled(sample: Sample) -> str:
    name, labels = sample
    inner = ",".join(f'{key}="{value}"' for key, value in labels)
    return f"{name}{{{inner}}}" if inner else name
