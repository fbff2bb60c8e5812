"""The labels of metrics, with the words of the parts that say them."""

import ipaddress
from pathlib import Path

import pytest

import restante
from restante.delivery.link_plan import EndKind
from restante.mail.delivery_report import ReportAction
from restante.queue.drain_word import DrainState
from restante.reception.doorkeeper import Doorkeeper, DoorLimits, ShedCause
from restante.reception.offered_mechanisms import offered_mechanisms
from restante.sasl.scram_keys import Salting
from restante.smtp import replies
from restante.smtp.session_end import SessionEnd
from restante.store.node_store import NodeState
from restante.telemetry.authentication_result import AuthenticationLimit, AuthenticationResult
from restante.telemetry.event_fields import example
from restante.telemetry.events import AuthenticationEnded, RecipientRefused
from restante.telemetry.metric_labels import (
    RELEASE_RESULT,
    authentication_of,
    code_of,
    count_of,
    deferral_of,
)
from restante.telemetry.metrics import METRICS
from restante.telemetry.work_word import DefectPlace, WorkWord
from restante.tenancy.notice import ChannelTransport
from restante.tenancy.release_result import ReleaseResult
from restante.web.http_connections import ConnectionCut, HttpService
from restante.web.request_counts import RequestRefusal
from tests.stable_words import STABLE_WORD
from tests.telemetry.exposed import label


def test_labels_have_the_words_of_the_parts_that_say_them() -> None:
    """A word that is missing here would be shown only from its first time on."""
    assert label("restante_sessions_ended", "end").values == tuple(SessionEnd)
    assert label("restante_drains", "state").values == tuple(DrainState)
    assert label("restante_nodes", "state").values == tuple(NodeState)
    assert label("restante_delivery_attempts", "end").values == tuple(EndKind)
    assert label("restante_connections_shed", "cause").values == tuple(refusals())
    assert label("restante_connections_shed", "cause").values == tuple(ShedCause)
    assert label("restante_http_connections_cut", "service").values == tuple(HttpService)
    assert label("restante_http_connections_cut", "cause").values == tuple(ConnectionCut)
    assert label("restante_web_requests_refused", "cause").values == tuple(RequestRefusal)
    assert set(label("restante_reports_made", "action").values) == set(ReportAction)
    assert label("restante_notices_sent", "transport").values == tuple(ChannelTransport)
    codes = {
        str(value.code) for value in vars(replies).values() if isinstance(value, replies.Reply)
    }
    for metric in METRICS:
        for each in metric.labels:
            assert each.name != "code" or codes.issuperset(each.values)


def test_every_value_of_a_label_is_a_word() -> None:
    values = {
        (each.name, value)
        for metric in METRICS
        for each in metric.labels
        for value in each.values
        if each.name != "mechanism"  # these are the names of SASL
    }
    assert len(values) > 100
    assert [one for one in values if not STABLE_WORD.fullmatch(one[1])] == []


def test_every_work_that_can_fail_is_named_somewhere() -> None:
    """A word without a use is a series that never moves."""
    sources = "".join(file.read_text() for file in Path(restante.__file__).parent.rglob("*.py"))
    for words in (WorkWord, DefectPlace):
        unused = [one for one in words if f"{words.__name__}.{one.name}" not in sources]
        assert unused == []


def refusals() -> list[ShedCause | None]:
    """Return the refusal by each limit of new connections, in the order of their checks."""
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
            "cause",
            "code",
            "doing",
            "end",
            "event",
            "in_content",
            "limit",
            "mechanism",
            "result",
            "route",
            "service",
            "state",
            "status",
            "version",
            "transport",
        )
    }


def test_every_mechanism_that_is_offered_is_counted_by_its_name() -> None:
    offered = offered_mechanisms(
        "mx2.example.net", lambda _user: Salting(b"salt", 1), takes_certificates=True
    )
    (counted,) = (one for one in METRICS if one.name == "restante_authentications")
    assert set(offered) == set(counted.labels[0].values)


@pytest.mark.parametrize(
    ("result", "limit", "expected"),
    [
        (AuthenticationResult.ACCEPTED, None, None),
        (AuthenticationResult.EXPIRED, None, None),
        (AuthenticationResult.DEFERRED, AuthenticationLimit.AT_ONCE, ("at-once",)),
    ],
)
def test_an_authentication_has_a_result_and_the_limit_that_deferred_it(
    result: AuthenticationResult, limit: AuthenticationLimit | None, expected: tuple[str] | None
) -> None:
    event = example(AuthenticationEnded, mechanism="PLAIN", result=result, deferred_by=limit)
    assert authentication_of(event) == ("PLAIN", result.value)
    assert deferral_of(event) == expected


def test_each_result_of_a_release_is_counted_by_its_name() -> None:
    assert set(RELEASE_RESULT.values) == set(ReleaseResult)


@pytest.mark.parametrize(("count", "expected"), [(None, 1), (0, 0), (12, 12)])
def test_an_event_that_stands_for_several_counts_as_often(count: int | None, expected: int) -> None:
    assert count_of(example(RecipientRefused, code=550, count=count)) == expected
    assert code_of(example(RecipientRefused, code=550, count=count)) == ("550",)
