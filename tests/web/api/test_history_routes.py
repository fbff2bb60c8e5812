"""The history of mail over the API: by pages, and as lines."""

import json

import httpx
import pytest

from restante.admin import mail_history
from restante.mail.message import message_name
from restante.tenancy.principal import Principal, Role
from tests.actors import actor_named
from tests.admin.admin_world import AdminWorld, run
from tests.contract.making import delivered, opened
from tests.web.api.asking import ask, story

MEDIA_TYPE = "application/x-ndjson"
MESSAGES = 5
OTHER = Principal(Role.ACCOUNT, actor_named("token ci (beta)"), "192.0.2.9", "beta")


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> AdminWorld:
    """A domain whose mail has left. Slices have two entries."""
    monkeypatch.setattr(mail_history, "SLICE", 2)
    admin = AdminWorld()
    domain_id = story(admin)

    async def leave() -> None:
        for number in range(1, MESSAGES + 1):
            await admin.hold(number, domain_id, f"x{number}@alpha.example")
        drain = await opened(admin.store, domain_id, 0.0, 10.0)
        for number in range(1, MESSAGES + 1):
            outcome = delivered(number, f"x{number}@alpha.example")
            await admin.store.handover.settle(drain, [outcome])

    run(leave())
    return admin


def paths(answer: httpx.Response) -> list[str]:
    return [json.loads(line)["forward_path"] for line in answer.text.splitlines()]


ALL = [f"x{number}@alpha.example" for number in range(MESSAGES, 0, -1)]


@pytest.mark.parametrize(
    ("query", "headers"),
    [("?format=ndjson", {}), ("", {"Accept": MEDIA_TYPE}), ("?limit=1", {"Accept": MEDIA_TYPE})],
)
def test_all_of_it_comes_as_lines(admin: AdminWorld, query: str, headers: dict[str, str]) -> None:
    answer = ask(admin, "GET", f"/v1/history{query}", headers=headers)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert paths(answer) == ALL


def test_mail_without_a_known_origin_has_none(admin: AdminWorld) -> None:
    answer = ask(admin, "GET", "/v1/history?limit=1")
    assert [(one["client"], one["origin"]) for one in answer.json()] == [("", None)]


def test_it_comes_by_pages(admin: AdminWorld) -> None:
    found, url = [], "/v1/history?limit=2"
    while url:
        answer = ask(admin, "GET", url)
        assert len(answer.json()) <= 2
        found += [one["forward_path"] for one in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
    assert found == ALL


def test_filters_hold_for_both_forms(admin: AdminWorld) -> None:
    query = "recipient=x[24]@*&outcome=delivered&domain=alpha.example"
    [four, two] = [f"x{number}@alpha.example" for number in (4, 2)]
    answer = ask(admin, "GET", f"/v1/history?{query}")
    assert [one["forward_path"] for one in answer.json()] == [four, two]
    assert paths(ask(admin, "GET", f"/v1/history?{query}&format=ndjson")) == [four, two]
    after = answer.json()[0]["id"]
    assert paths(ask(admin, "GET", f"/v1/history?{query}&format=ndjson&after={after}")) == [two]
    assert ask(admin, "GET", "/v1/history?outcome=refused&format=ndjson").text == ""


@pytest.mark.parametrize(
    ("query", "status"),
    [("domain=gone.example", 404), ("after=x", 422), ("format=xml", 422), ("since=2&until=1", 422)],
)
@pytest.mark.parametrize("accept", [MEDIA_TYPE, "application/json"])
def test_an_error_has_a_status(admin: AdminWorld, query: str, status: int, accept: str) -> None:
    answer = ask(admin, "GET", f"/v1/history?{query}", headers={"Accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_one_message_is_shown_whether_it_is_here_or_has_left(admin: AdminWorld) -> None:
    gone = ask(admin, "GET", f"/v1/messages/{message_name(3)}").json()
    assert (gone["name"], gone["held"]) == (message_name(3), None)
    assert [one["forward_path"] for one in gone["left"]] == ["x3@alpha.example"]
    run(admin.hold(9, 1, "here@alpha.example"))
    here = ask(admin, "GET", f"/v1/messages/{message_name(9)}").json()
    assert (here["held"]["name"], here["left"]) == (message_name(9), [])
    body = {"names": [message_name(9)], "reason": "asked by the customer"}
    assert ask(admin, "POST", "/v1/queue/delete", json=body).status_code == 200
    [entry] = ask(admin, "GET", f"/v1/messages/{message_name(9)}").json()["audit"]
    assert entry["reason"] == "asked by the customer"


def test_a_message_of_another_account_and_none_are_the_same(admin: AdminWorld) -> None:
    foreign = ask(admin, "GET", f"/v1/messages/{message_name(3)}", acting=OTHER)
    none = ask(admin, "GET", f"/v1/messages/{message_name(77)}", acting=OTHER)
    assert (foreign.status_code, none.status_code) == (404, 404)
    name = message_name(3)
    assert foreign.json()["detail"] == none.json()["detail"].replace(message_name(77), name)
    assert "GET /v1/trace" in none.json()["remedy"]
