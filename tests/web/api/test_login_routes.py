"""Logins over the API: added, changed and removed, and never shown with a secret."""

from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story

PATH = "/v1/accounts/alpha/logins"
LOGIN = {"user": "primary", "password": "a long enough password"}


def test_logins_are_added_listed_changed_and_removed() -> None:
    admin = AdminWorld()
    story(admin)
    added = ask(admin, "POST", PATH, json=LOGIN)
    assert (added.status_code, added.json()["user"]) == (201, "primary")
    assert LOGIN["password"] not in added.text
    assert [one["user"] for one in ask(admin, "GET", PATH).json()] == ["primary"]
    changed = ask(admin, "PATCH", f"{PATH}/primary", json={"password": "another long password"})
    assert changed.status_code == 200
    assert "another" not in changed.text
    assert ask(admin, "DELETE", f"{PATH}/primary", params={"reason": "moved"}).status_code == 204
    assert ask(admin, "GET", PATH).json() == []


def test_a_login_is_added_again_without_a_change() -> None:
    admin = AdminWorld()
    story(admin)
    first, again = (ask(admin, "POST", PATH, json=LOGIN) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert (bool(first.json()["changes"]), again.json()["changes"]) == (True, [])
    other = ask(admin, "POST", PATH, json=LOGIN | {"password": "another long password"})
    assert (other.status_code, other.json()["kind"]) == (409, "exists")
    assert other.json()["detail"] == "login primary: is there already; password differs"
    assert other.json()["remedy"] == "change it by `PATCH /v1/accounts/alpha/logins/primary`"
    assert "long" not in other.text


def test_a_login_of_another_account_does_not_exist() -> None:
    admin = AdminWorld()
    story(admin)
    ask(admin, "POST", PATH, json=LOGIN)
    ask(admin, "POST", "/v1/accounts", json={"name": "beta"})
    other = ask(admin, "DELETE", "/v1/accounts/beta/logins/primary", params={"reason": "not ours"})
    assert other.status_code == 404
    assert len(ask(admin, "GET", PATH).json()) == 1
