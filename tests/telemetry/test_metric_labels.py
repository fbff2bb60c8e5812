"""The labels of metrics, with the words of the parts that say them."""

import ipaddress
import re
from pathlib import Path

import pytest

import restante
from restante.delivery.drain_state import DrainState
from restante.delivery.link_plan import EndKind
from restante.reception.doorkeeper import Doorkeeper, DoorLimits
from restante.reception.offered_mechanisms import offered_mechanisms
from restante.sasl.scram_keys import Salting
from restante.smtp import replies
from restante.smtp.session_end import SessionEnd
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
from restante.tenancy.release_result import ReleaseResult
from tests.telemetry.exposed import label


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
        r"(?:StoreFailed\(\s*error=\w+,\s*doing=|_log_failure\(error, |Rounds\([\w.]+, "
        r'|^RULE: Final = )"([^"]+)"',
        sources,
        re.MULTILINE,
    )
    assert {*said, "request"} == set(label("restante_store_failures", "doing").values)


def refusals() -> list[str]:
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
            "code",
            "doing",
            "end",
            "event",
            "limit",
            "mechanism",
            "reason",
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
    offered = offered_mechanisms("mx2.example.net", lambda _user: Salting(b"salt", 1))
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
