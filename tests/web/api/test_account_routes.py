"""Accounts, logins and domains over the API."""

from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask


def test_records_are_added_listed_changed_and_removed() -> None:
    admin = AdminWorld()
    assert ask(admin, "POST", "/v1/accounts", json={"name": "alpha"}).status_code == 201
    domain = {
        "name": "alpha.example",
        "account": "alpha",
        "destination": "192.0.2.1",
        "allow": ["192.0.2.1"],
    }
    assert ask(admin, "POST", "/v1/domains", json=domain).json()["warnings"] == []
    assert ask(admin, "GET", "/v1/domains", params={"account": "alpha"}).json()[0]["allow"] == [
        "192.0.2.1"
    ]
    changed = ask(admin, "PATCH", "/v1/domains/alpha.example", json={"connections": 9})
    assert changed.json()["domain"]["connections"] == 9
    assert (
        ask(admin, "DELETE", "/v1/domains/alpha.example", params={"reason": "moved"}).status_code
        == 204
    )
    assert ask(admin, "DELETE", "/v1/accounts/alpha", params={"reason": "left"}).status_code == 204
    assert ask(admin, "GET", "/v1/accounts").json() == []
    assert [
        entry["action"] for entry in ask(admin, "GET", "/v1/audit", params={"limit": 2}).json()
    ] == [
        "account-removed",
        "domain-removed",
    ]
