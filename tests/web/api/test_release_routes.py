"""Releases over the API: begun, followed to the end, and listed."""

import pytest

from restante.mail.message import message_name
from tests.admin.admin_world import RELEASE, AdminWorld, ask_for, run
from tests.web.api.asking import ask, story


@pytest.mark.parametrize("path", ["/v1/releases", "/v1/release"])
def test_a_release_has_an_answer_and_an_id(path: str) -> None:
    admin = AdminWorld()
    story(admin)
    targets = ["alpha.example", "unknown.example"]
    granted, refused = ask(admin, "POST", path, json={"targets": targets}).json()
    assert (granted["result"], granted["pending"], granted["id"]) == (
        "granted",
        2,
        message_name(RELEASE),
    )
    assert (refused["result"], refused["pending"], refused["id"]) == ("refused", 0, "")
    assert (granted["text"], refused["text"]) == ("2 messages released", "not allowed")


@pytest.mark.parametrize(
    ("targets", "status"),
    [
        (["unknown.example"], 404),
        ([""], 422),
        (["unknown.example", "unpaid.example"], 409),
        (["unpaid.example", "busy.example"], 429),
        (["unknown.example", "failing.example"], 503),
        (["busy.example", "failing.example"], 503),
    ],
)
@pytest.mark.parametrize("path", ["/v1/releases", "/v1/release"])
def test_a_release_of_nothing_is_a_problem(path: str, targets: list[str], status: int) -> None:
    answer = ask(AdminWorld(), "POST", path, json={"targets": targets})
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers.get("retry-after") == {429: "8", 503: "10"}.get(status)
    problem = answer.json()
    assert problem["type"] == "urn:restante:problem:nothing-released"
    assert [one["target"] for one in problem["results"]] == targets
    assert all(one["reason"] and one["text"] for one in problem["results"])


def test_the_remedy_of_a_problem_is_in_words_of_the_api() -> None:
    order = {"targets": ["unknown.example"]}
    problem = ask(AdminWorld(), "POST", "/v1/releases", json=order).json()
    assert problem["detail"] == "unknown.example: not allowed; not hosted"
    assert problem["remedy"] == "`GET /v1/domains` shows the hosted domains"


def test_a_release_is_shown_and_listed() -> None:
    admin = AdminWorld()
    domain_id = story(admin)
    run(ask_for(admin, RELEASE, "alpha.example", domain_id))
    shown = ask(admin, "GET", f"/v1/releases/{message_name(RELEASE)}").json()
    assert (shown["state"], shown["target"]) == ("running", "alpha.example")
    assert [one["domain"] for one in shown["drains_shown"]] == ["alpha.example"]
    listed = ask(admin, "GET", "/v1/releases", params={"domain": "alpha.example"}).json()
    assert [one["id"] for one in listed] == [shown["id"]]
    assert ask(admin, "GET", "/v1/releases", params={"until": 1.0}).json() == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/releases/zz", 404),
        ("/v1/releases?domain=unknown.example", 404),
        ("/v1/releases?limit=0", 422),
        ("/v1/releases?nobody=1", 422),
    ],
)
def test_unknown_and_wrong_names_are_refused(path: str, status: int) -> None:
    answer = ask(AdminWorld(), "GET", path)
    assert answer.status_code == status
    assert answer.json()["remedy"]
