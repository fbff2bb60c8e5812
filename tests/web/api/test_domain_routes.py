"""Policies of domains over the API."""

from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story


def test_a_policy_is_given_and_shown() -> None:
    admin = AdminWorld()
    story(admin)
    given = {
        "hold": "suspended",
        "reason": "not paid",
        "until": "2099-01-01T00:00:00Z",
        "quota": 1000,
    }
    policy = ask(admin, "PATCH", "/v1/domains/alpha.example", json=given).json()["domain"]["policy"]
    assert {name: policy[name] for name in given} == given
    assert policy["hold_otherwise"] == "until-asked"
    assert (
        ask(
            admin, "PATCH", "/v1/domains/alpha.example", json={"until": "2099-01-01T00:00:00"}
        ).status_code
        == 422
    )
    assert ask(admin, "PATCH", "/v1/accounts/alpha", json={"quota": 7}).json()["quota"] == 7


def test_a_check_has_remedies_in_the_words_of_the_api() -> None:
    admin = AdminWorld()
    story(admin)
    answer = ask(admin, "POST", "/v1/domains/alpha.example/check")
    assert answer.status_code == 200
    rows = {row["check"]: row for row in answer.json()["rows"]}
    path = "/v1/domains/alpha.example/snippets?for=PROGRAM"
    assert rows["filters"]["remedy"].startswith(f"set them up: `GET {path}`; then drill, and")
    assert ask(admin, "POST", "/v1/domains/gone.example/check").status_code == 404


def test_snippets_are_listed_or_one_is_picked() -> None:
    admin = AdminWorld()
    story(admin)
    path = "/v1/domains/alpha.example/snippets"
    assert len(ask(admin, "GET", path).json()) > 5
    [picked] = ask(admin, "GET", f"{path}?for=exim").json()
    assert picked["program"] == "exim"
    assert ask(admin, "GET", f"{path}?for=qmail").status_code == 422
