"""A value beyond what can be kept or counted is refused with a sentence, and nothing is done."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import list_audit
from restante.admin.channel_change import NewChannel
from restante.admin.domain_change import DomainChange
from restante.admin.mail_search import TraceSelection, trace
from restante.admin.releases import ReleaseSelection, list_releases
from restante.admin.request_bounds import MOST_HOSTS, check_span
from restante.admin.tokens import NewToken
from restante.tenancy.audit import AuditFilter
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story

TIMED = ("/v1/trace", "/v1/releases", "/v1/audit", "/v1/domains/alpha.example/uptime")
NO_TIMES = ("nan", "inf", "-inf", "1e18", "1e400", "-1", "9" * 400, "253402300800")
NO_NUMBERS = (str(2**63), "9" * 400, "-1", "9" * 5000)


def wrong_queries() -> Iterator[str]:
    for path in TIMED:
        for name in ("since", "until"):
            yield from (f"{path}?{name}={value}" for value in NO_TIMES)
    for place in ("/v1/trace?before", "/v1/reports?after", "/v1/queue?larger"):
        yield from (f"{place}={value}" for value in NO_NUMBERS)
    yield from (f"/v1/queue?older={value}" for value in NO_TIMES)


def test_no_number_of_a_query_is_beyond_its_bounds() -> None:
    admin = AdminWorld()
    story(admin)
    wrong = {
        query: answer.status_code
        for query in wrong_queries()
        if (answer := ask(admin, "GET", query)).status_code != 422 or not answer.json()["detail"]
    }
    assert wrong == {}


@pytest.mark.parametrize("path", TIMED)
def test_the_last_moment_is_a_time(path: str) -> None:
    admin = AdminWorld()
    story(admin)
    assert ask(admin, "GET", f"{path}?until=253402300799").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/v1/domains/alpha.example", rb'{"tls_pins": ["\ud800"]}'),
        ("PATCH", "/v1/domains/alpha.example", rb'{"destination_password": "\ud800"}'),
        ("PATCH", "/v1/domains/alpha.example/recipients", rb'{"add": ["\udfff"]}'),
        ("POST", "/v1/releases", rb'{"targets": ["\ud800"]}'),
        ("POST", "/v1/tokens", rb'{"name": "\uDC00"}'),
    ],
)
def test_half_a_character_is_refused(method: str, path: str, body: bytes) -> None:
    admin = AdminWorld()
    story(admin)
    answer = ask(admin, method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert "text of whole characters" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (NewChannel, "kinds"),
        (NewToken, "scopes"),
        (NewToken, "domains"),
        (NewToken, "networks"),
        (DomainChange, "allow"),
        (DomainChange, "add_allow"),
        (DomainChange, "drop_allow"),
        (DomainChange, "tls_pins"),
    ],
)
@pytest.mark.parametrize("item", ["x", 1])
def test_a_long_list_has_one_fault(model: type[BaseModel], field: str, item: object) -> None:
    with pytest.raises(ValidationError) as raised:
        model.model_validate({field: [item] * 2000})
    assert sum(one["loc"][0] == field for one in raised.value.errors()) == 1


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", 1e18])
def test_no_moment_is_beyond_the_calendar(at: object) -> None:
    admin = AdminWorld()
    story(admin)
    answer = ask(admin, "POST", "/v1/tokens", json={"name": "a", "role": None, "expires_at": at})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/queue/zzzzzzzzzzzzz", 422), ("/v1/releases/zzzzzzzzzzzzz", 404)]
)
def test_a_name_beyond_every_number_is_no_name(path: str, status: int) -> None:
    admin = AdminWorld()
    story(admin)
    assert ask(admin, "GET", path).status_code == status


def test_no_policy_lasts_beyond_the_calendar() -> None:
    admin = AdminWorld()
    story(admin)
    for value in (1e18, "inf", "nan"):
        answer = ask(admin, "PATCH", "/v1/domains/alpha.example", json={"retention": value})
        assert answer.status_code == 422, value
        assert answer.json()["detail"].startswith("retention: must be"), value


def test_a_long_list_of_good_items_ends_at_its_bound() -> None:
    with pytest.raises(ValidationError) as raised:
        DomainChange.model_validate({"allow": ["192.0.2.1"] * (MOST_HOSTS + 1)})
    assert [one["type"] for one in raised.value.errors()] == ["too_long"]


@pytest.mark.parametrize("name", ["retention", "quota", "quota_messages", "connections"])
def test_a_flag_is_no_number(name: str) -> None:
    for flag in (True, False):
        with pytest.raises(ValidationError, match="must be a number"):
            DomainChange.model_validate({name: flag})


def test_mail_is_kept_for_ever_or_at_least_for_a_second() -> None:
    for seconds in (0, 1, 1.5):
        DomainChange.model_validate({"retention": seconds})
    for seconds in (5e-324, 0.9):
        with pytest.raises(ValidationError, match="at least one second"):
            DomainChange.model_validate({"retention": seconds})


@pytest.mark.parametrize("list_them", [list_releases, list_audit, trace])
def test_a_span_that_ends_before_it_begins_is_refused_everywhere(list_them: Any) -> None:
    wanted = {
        list_releases: ReleaseSelection(since=20.0, until=10.0),
        list_audit: AuditFilter(since=20.0, until=10.0),
        trace: TraceSelection(since=20.0, until=10.0),
    }
    with pytest.raises(AdminError, match="until: is not later than since") as refused:
        asyncio.run(list_them(AdminWorld().context, wanted[list_them]))
    assert refused.value.kind is ErrorKind.INVALID


def test_a_span_may_be_open() -> None:
    check_span(None, None)
    check_span(5.0, None)
    check_span(None, 0.0)
    check_span(0.0, 0.5)
