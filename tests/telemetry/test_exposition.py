"""Every metric is shown in both formats, with its value and without strangers' texts."""

from dataclasses import fields, replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from restante.telemetry.event_counts import Counts
from restante.telemetry.event_fields import example
from restante.telemetry.events import (
    EVENTS,
)
from restante.telemetry.exposition import expose
from restante.telemetry.metric_types import MetricKind
from restante.telemetry.metrics import METRICS
from restante.telemetry.process_figures import ProcessFacts
from tests.telemetry.exposed import OPENMETRICS, STATE, shown, spelled


def test_text_chosen_by_strangers_and_customers_is_not_shown() -> None:
    counts = Counts()
    private = [
        "peer",
        "hello",
        "login",
        "name",
        "domain",
        "domains",
        "destination",
        "address",
        "error",
        "reverse_path",
        "forward_path",
        "account",
        "actor",
        "acted_from",
        "reply",
        "requested_by",
        "request",
        "target",
    ]
    for kind in EVENTS:
        given = {each.name: "a-stranger" for each in fields(kind) if each.name in private}
        counts.count(example(kind, **given))
    assert b"a-stranger" not in expose(counts, STATE).body


# Reading


def test_the_state_is_shown_as_it_is() -> None:
    samples = {spelled(sample): value for sample, value in shown(Counts()).items()}
    assert {
        "restante_held_messages": 3,
        "restante_refused_messages": 1,
        "restante_stored_octets": 4096,
        "restante_domains_with_mail": 2,
        "restante_oldest_message_age_seconds": 60.5,
        'restante_sessions_open{service="mx"}': 7,
        'restante_sessions_open{service="smtps"}': 0,
        "restante_sessions_unauthenticated": 6,
        'restante_sessions_ended_total{end="quit",in_content="false"}': 12,
        'restante_sessions_ended_total{end="timed-out",in_content="true"}': 1,
        'restante_sessions_ended_total{end="too-many-errors",in_content="false"}': 0,
        "restante_octets_in_flight": 65536,
        "restante_batches_held_total": 5,
        "restante_batch_seconds_total": 0.5,
        'restante_nodes{state="serving"}': 2,
        'restante_nodes{state="retiring"}': 0,
        'restante_nodes{state="silent"}': 1,
        "restante_mail_at_risk": 1,
        "restante_clock_offset_seconds": -0.25,
        'restante_drains{state="delivering"}': 2,
        'restante_drains{state="waiting-to-retry"}': 0,
        "restante_delivery_connections_open": 4,
        "restante_disk_free_octets": 1000,
        "restante_disk_reserve_octets": 2000,
        "restante_room_short": 1,
        "restante_store_away": 1,
        "restante_objects_away": 1,
        "restante_loop_lag_seconds": 0.125,
        "restante_loop_stalls_total": 0,
        "restante_trace_spans_dropped_total": 4,
        "restante_damaged_messages": 6,
        "restante_uncertain_messages": 9,
        "restante_last_scrub_timestamp_seconds": 1.7e9,
        "restante_certificate_expiry_timestamp_seconds": 1.9e9,
        'restante_info{version="1.2.3"}': 1,
        "process_start_time_seconds": 1.8e9,
        "process_cpu_seconds_total": 1.5,
        "process_resident_memory_bytes": 2**20,
        "process_open_fds": 30,
        "process_max_fds": 1024,
    }.items() <= samples.items()


def test_unknown_facts_are_left_out() -> None:
    unknown = replace(STATE, oldest_message_age=None, process=ProcessFacts(1.5, None, None, 1024))
    missing = {name for name, _ in shown(Counts())} - {name for name, _ in shown(Counts(), unknown)}
    assert missing == {
        "restante_oldest_message_age_seconds",
        "process_resident_memory_bytes",
        "process_open_fds",
    }


# The formats


def test_both_formats_have_every_metric_with_its_kind_and_meaning() -> None:
    text, openmetrics = expose(Counts(), STATE), expose(Counts(), STATE, OPENMETRICS)
    assert text.content_type.startswith("text/plain; version=0.0.4")
    assert openmetrics.content_type.startswith("application/openmetrics-text; version=1.0.0")
    expected = {metric.name: (metric.kind, metric.meaning) for metric in METRICS}
    families = list(read_openmetrics(openmetrics.body.decode()))  # type: ignore[no-untyped-call]
    assert {family.name: (family.type, family.documentation) for family in families} == expected
    plain = {
        name: meaning for name, (kind, meaning) in expected.items() if kind is not MetricKind.INFO
    }
    read = {family.name: family.documentation for family in read_text(text.body.decode())}
    assert plain.items() <= read.items()


@pytest.mark.parametrize(
    "accept", ["", "*/*", "text/html", "application/openmetrics-text;version=x", ";;=,,\xff"]
)
def test_whoever_asks_for_something_else_gets_text(accept: str) -> None:
    assert expose(Counts(), STATE, accept).content_type.startswith("text/plain")
