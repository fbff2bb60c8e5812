"""The counts and values of metrics, read back by the parsers that will read them."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

import restante
from restante.delivery.drain_state import DrainState
from restante.delivery.link_plan import EndKind
from restante.reception.doorkeeper import Doorkeeper, DoorLimits
from restante.reception.mechanisms import offered_mechanisms
from restante.sasl.scram_keys import Salting
from restante.smtp import replies
from restante.smtp.session_end import SessionEnd
from restante.telemetry.counts import Counts
from restante.telemetry.event_fields import example
from restante.telemetry.events import (
    EVENTS,
    AuthenticationEnded,
    ConnectionsShed,
    DeliveryAttempt,
    DeliveryDeferred,
    DeliveryRefused,
    Event,
    LoopStalled,
    MailHeld,
    MailRefused,
    MessageDamaged,
    MessageDelivered,
    RecipientRefused,
    ReleaseRequested,
    RoomShort,
    ServerFailing,
    StoreFailed,
)
from restante.telemetry.exposition import expose
from restante.telemetry.log import EventBus
from restante.telemetry.log_writer import LogWriter
from restante.telemetry.metric_types import MetricKind, MetricLabel, State
from restante.telemetry.metrics import METRICS
from restante.telemetry.process import ProcessFacts, look_at_process

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
    sessions_ended={"quit": 12, "timed out in mid-content": 1},
    octets_in_flight=65536,
    batches_held=5,
    drains={"delivering": 2},
    delivery_connections=4,
    is_room_short=True,
    damaged_messages=6,
    uncertain_messages=9,
    scrubbed_at=1.7e9,
    reports_waiting=8,
    notices_waiting=2,
    certificate_expires_at=1.9e9,
    started_at=1.8e9,
    version="1.2.3",
    process=ProcessFacts(1.5, 2**20, 30, 1024),
    loop_lag=0.125,
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


# The table


def test_names_are_what_prometheus_wants_and_there_is_one_of_each() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    for metric in METRICS:
        assert re.fullmatch(r"(restante|process)(_[a-z]+)*", metric.name)
        assert not metric.name.endswith(
            ("_total", "_info")
        )  # as shown; `_sum`, `_count` and the like are none of ours


def test_labels_have_the_words_of_the_parts_that_say_them() -> None:
    """A word that is missing here would be shown only from its first time on."""
    ends = label("restante_sessions_ended", "reason").values
    assert {end.removesuffix(" in mid-content") for end in ends} == set(SessionEnd)
    assert label("restante_drains", "state").values == tuple(DrainState)
    assert label("restante_delivery_attempts", "end").values == (*EndKind, "no route")
    assert label("restante_connections_shed", "limit").values == tuple(refusals())
    codes = {
        str(value.code) for value in vars(replies).values() if isinstance(value, replies.Reply)
    }
    for metric in METRICS:
        for each in metric.labels:
            assert each.name != "code" or codes.issuperset(each.values)


def test_every_way_in_which_the_store_fails_has_its_word() -> None:
    sources = "".join(file.read_text() for file in Path(restante.__file__).parent.rglob("*.py"))
    said = re.findall(
        r'(?:StoreFailed\(\s*error=\w+,\s*doing=|_log_failure\(error, |Rounds\([\w.]+, )"([^"]+)"',
        sources,
    )
    assert {*said, "request"} == set(label("restante_store_failures", "doing").values)


def refusals() -> list[str]:
    """Have every limit of the door met, in the order in which it looks at them."""
    address = ipaddress.ip_address("192.0.2.1")
    limits = (
        DoorLimits(0, 9, 9, 9),
        DoorLimits(9, 9, 0, 9),
        DoorLimits(9, 0, 9, 9),
        DoorLimits(9, 9, 9, 0),
    )
    return [Doorkeeper(each, lambda _: False, lambda: 0.0).refusal(address) for each in limits]


def test_no_label_is_for_names_of_people_or_places() -> None:
    assert {each.name for metric in METRICS for each in metric.labels} == {
        *(
            "action",
            "code",
            "doing",
            "end",
            "event",
            "limit",
            "mechanism",
            "outcome",
            "reason",
            "service",
            "state",
            "version",
            "way",
        )
    }


# Counting


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        (
            MailHeld,
            {"octets": 4000},
            {"restante_messages_held_total": 1, "restante_octets_held_total": 4000},
        ),
        (
            MailRefused,
            {"answer": "452 4.3.1 No room"},
            {'restante_mail_refused_total{code="452"}': 1},
        ),
        (
            RecipientRefused,
            {"answer": "550 5.7.1 Not a domain", "forward_path": "<x@y.example>"},
            {'restante_recipients_refused_total{code="550"}': 1},
        ),
        (
            RecipientRefused,
            {"answer": "550 5.7.1 Not a domain", "count": 90},
            {'restante_recipients_refused_total{code="550"}': 90},
        ),
        (
            MailRefused,
            {"answer": "451 4.3.0 Cannot store", "count": 7},
            {'restante_mail_refused_total{code="451"}': 7},
        ),
        (
            ConnectionsShed,
            {"count": 40, "reason": "too many sessions"},
            {'restante_connections_shed_total{limit="too many sessions"}': 40},
        ),
        (
            AuthenticationEnded,
            {"mechanism": "PLAIN", "answer": "refused", "login": "alpha"},
            {'restante_authentications_total{mechanism="PLAIN",outcome="refused"}': 1},
        ),
        (
            AuthenticationEnded,
            {"mechanism": "CRAM-MD5", "answer": "deferred: too many failures", "login": "alpha"},
            {
                'restante_authentications_total{mechanism="CRAM-MD5",outcome="deferred"}': 1,
                'restante_authentications_deferred_total{limit="too many failures"}': 1,
            },
        ),
        (
            ReleaseRequested,
            {"answer": "253 2.0.0 OK, 2 pending messages for node a.example started"},
            {'restante_release_requests_total{code="253"}': 1},
        ),
        (MessageDelivered, {"recipients": 9}, {"restante_messages_delivered_total": 1}),
        (DeliveryDeferred, {"reply": "450"}, {"restante_recipients_deferred_total": 1}),
        (
            DeliveryRefused,
            {"reply": "550"},
            {"restante_recipients_refused_by_destination_total": 1},
        ),
        (
            DeliveryAttempt,
            {"end": "busy", "reason": "421 x"},
            {'restante_delivery_attempts_total{end="busy"}': 1},
        ),
        (
            DeliveryAttempt,
            {"reason": "no such name in DNS"},
            {'restante_delivery_attempts_total{end="no route"}': 1},
        ),
        (StoreFailed, {"doing": "hold"}, {'restante_store_failures_total{doing="hold"}': 1}),
        (
            StoreFailed,
            {"doing": None, "request": "GET /v1/x"},
            {'restante_store_failures_total{doing="request"}': 1},
        ),
        (RoomShort, {"free": 7}, {}),
        (MessageDamaged, {"message": "x"}, {"restante_messages_damaged_total": 1}),
        (ServerFailing, {"reason": "x"}, {"restante_server_failures_total": 1}),
        (LoopStalled, {"seconds": 5.4}, {"restante_loop_stalls_total": 1}),
    ],
)
def test_a_line_of_the_log_moves_its_metrics_and_no_others(
    kind: type[Event], fields: Mapping[str, Any], expected: Mapping[str, float]
) -> None:
    counts = Counts()
    before = shown(counts)
    event = example(kind, **fields)
    counts.count(event)
    counts.count(event)
    after = shown(counts)
    assert before.keys() == after.keys(), "every word of a label is there from the start"
    moved = {
        spelled(sample): value - before[sample]
        for sample, value in after.items()
        if value != before[sample]
    }
    twice = {sample: 2 * value for sample, value in expected.items()}
    assert moved == {**twice, f'restante_log_lines_total{{event="{kind.event}"}}': 2}


def spelled(sample: Sample) -> str:
    name, labels = sample
    inner = ",".join(f'{key}="{value}"' for key, value in labels)
    return f"{name}{{{inner}}}" if inner else name


def test_a_word_that_nobody_foresaw_is_counted_all_the_same() -> None:
    counts = Counts()
    counts.count(example(MailRefused, answer="459 4.0.0 New"))
    assert shown(counts)["restante_mail_refused_total", (("code", "459"),)] == 1


def test_what_strangers_and_customers_chose_is_not_shown() -> None:
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
        "origin",
        "reply",
        "requested_by",
        "request",
        "target",
    ]
    for kind in EVENTS:
        given = {each.name: "a-stranger" for each in fields(kind) if each.name in private}
        counts.count(example(kind, **given))
    assert b"a-stranger" not in expose(counts, STATE).body


def test_the_log_counts_what_it_writes(capsys: pytest.CaptureFixture[str]) -> None:
    counts = Counts()
    log = EventBus()
    log.subscribe(counts.count, *EVENTS)
    log.subscribe(LogWriter("json").write, *EVENTS)
    log.publish(example(MailHeld, message="abc", octets=3))
    log.publish(StoreFailed(error=ValueError("boom"), doing="hold"))
    samples = shown(counts)
    assert capsys.readouterr().err.count("\n") == 2
    assert samples["restante_octets_held_total", ()] == 3
    assert samples["restante_store_failures_total", (("doing", "hold"),)] == 1


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
        'restante_sessions_ended_total{reason="quit"}': 12,
        'restante_sessions_ended_total{reason="timed out in mid-content"}': 1,
        'restante_sessions_ended_total{reason="too many errors"}': 0,
        "restante_octets_in_flight": 65536,
        "restante_batches_held_total": 5,
        'restante_drains{state="delivering"}': 2,
        'restante_drains{state="waiting to retry"}': 0,
        "restante_delivery_connections_open": 4,
        "restante_room_short": 1,
        "restante_loop_lag_seconds": 0.125,
        "restante_loop_stalls_total": 0,
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


def test_what_is_not_known_is_left_out() -> None:
    unknown = replace(STATE, oldest_message_age=None, process=ProcessFacts(1.5, None, None, 1024))
    missing = {name for name, _ in shown(Counts())} - {name for name, _ in shown(Counts(), unknown)}
    assert missing == {
        "restante_oldest_message_age_seconds",
        "process_resident_memory_bytes",
        "process_open_fds",
    }


def test_the_system_says_something_of_this_process() -> None:
    facts = look_at_process()
    assert facts.cpu_seconds > 0
    assert facts.resident_octets is None or facts.resident_octets > 2**20
    assert facts.open_files is None or 0 < facts.open_files <= facts.open_files_limit


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


def test_every_mechanism_that_is_offered_is_counted_by_its_name() -> None:
    offered = offered_mechanisms("mx2.example.net", lambda _user: Salting(b"salt", 1))
    (counted,) = (one for one in METRICS if one.name == "restante_authentications")
    assert set(offered) == set(counted.labels[0].values)
