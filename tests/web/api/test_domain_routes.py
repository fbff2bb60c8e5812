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
