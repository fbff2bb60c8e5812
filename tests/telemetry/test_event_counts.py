"""Events move the counters of the table of metrics, and no others."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from restante.telemetry.authentication_result import AuthenticationLimit, AuthenticationResult
from restante.telemetry.event_counts import Counts
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
from restante.telemetry.metric_types import Counted
from restante.telemetry.metrics import METRICS
from tests.telemetry.exposed import shown, spelled

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
            {"code": 452},
            {'restante_mail_refused_total{code="452"}': 1},
        ),
        (
            RecipientRefused,
            {"code": 550, "forward_path": "<x@y.example>"},
            {'restante_recipients_refused_total{code="550"}': 1},
        ),
        (
            RecipientRefused,
            {"code": 550, "count": 90},
            {'restante_recipients_refused_total{code="550"}': 90},
        ),
        (
            MailRefused,
            {"code": 451, "count": 7},
            {'restante_mail_refused_total{code="451"}': 7},
        ),
        (
            ConnectionsShed,
            {"count": 40, "cause": "sessions"},
            {'restante_connections_shed_total{cause="sessions"}': 40},
        ),
        (
            AuthenticationEnded,
            {"mechanism": "PLAIN", "result": AuthenticationResult.REFUSED, "login": "alpha"},
            {'restante_authentications_total{mechanism="PLAIN",result="refused"}': 1},
        ),
        (
            AuthenticationEnded,
            {
                "mechanism": "CRAM-MD5",
                "result": AuthenticationResult.DEFERRED,
                "deferred_by": AuthenticationLimit.FAILURES,
                "login": "alpha",
            },
            {
                'restante_authentications_total{mechanism="CRAM-MD5",result="deferred"}': 1,
                'restante_authentications_deferred_total{limit="failures"}': 1,
            },
        ),
        (
            ReleaseRequested,
            {"answer": "253 2.0.0 OK, 2 pending messages for node a.example started"},
            {'restante_release_requests_total{result="granted"}': 1},
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
            {"end": "no-route", "reason": "no such name in DNS"},
            {'restante_delivery_attempts_total{end="no-route"}': 1},
        ),
        (StoreFailed, {"doing": "hold"}, {'restante_store_failures_total{doing="hold"}': 1}),
        (
            StoreFailed,
            {"doing": "request", "request": "GET /v1/x"},
            {'restante_store_failures_total{doing="request"}': 1},
        ),
        (RoomShort, {"free_octets": 7}, {}),
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


def test_a_word_that_nobody_foresaw_is_counted_all_the_same() -> None:
    counts = Counts()
    counts.count(example(MailRefused, code=459))
    assert shown(counts)["restante_mail_refused_total", (("code", "459"),)] == 1


@pytest.mark.parametrize("metric", [one for one in METRICS if isinstance(one, Counted)])
def test_every_word_of_a_label_and_every_event_begins_at_zero(metric: Counted[Any]) -> None:
    words = set(product(*(label.values for label in metric.labels)))
    begun = Counts().of(metric)
    events = {(kind.event,) for kind in EVENTS}
    assert set(begun) == (words if metric.event else events)
    assert set(begun.values()) == {0}
