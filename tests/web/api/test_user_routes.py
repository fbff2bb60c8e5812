"""Users of the portal over the API: the answer to an invitation has the link, and no other."""

from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story

NEW = {"email": "Ana@Alpha.example", "account": "alpha", "role": "account-admin"}
PATH = "/v1/users/ana@alpha.example"


def test_users_are_invited_listed_changed_and_removed() -> None:
    admin = AdminWorld()
    story(admin)
    invited = ask(admin, "POST", "/v1/users", json=NEW)
    assert (invited.status_code, invited.headers["Cache-Control"]) == (201, "no-store")
    secret = invited.json()["link"].rpartition("/")[2]
    listed = ask(admin, "GET", "/v1/users", params={"account": "alpha"})
    assert [one["email"] for one in listed.json()] == ["ana@alpha.example"]
    assert secret not in listed.text
    assert ask(admin, "GET", "/v1/users", params={"account": ""}).json() == []
    changed = ask(admin, "PATCH", PATH, json={"role": "account-reader", "scopes": []})
    assert changed.json()["role"] == "account-reader"
    assert ask(admin, "DELETE", PATH, params={"reason": "left"}).status_code == 204
    assert ask(admin, "GET", "/v1/users").json() == []


def test_an_unknown_role_or_user_is_refused() -> None:
    admin = AdminWorld()
    story(admin)
    for wrong in ({"role": "root"}, {"email": "ana"}, {"scopes": ["store:write"]}):
        assert ask(admin, "POST", "/v1/users", json=NEW | wrong).status_code == 422
    assert ask(admin, "DELETE", PATH, params={"reason": "x"}).status_code == 404
    assert ask(admin, "PATCH", PATH, json={"role": "account-reader"}).status_code == 404


def test_a_user_is_changed_only_as_the_client_knows_it() -> None:
    admin = AdminWorld()
    story(admin)
    ask(admin, "POST", "/v1/users", json=NEW)
    got = ask(admin, "GET", PATH)
    assert (got.status_code, got.json()["email"]) == (200, "ana@alpha.example")
    known = {"If-None-Match": got.headers["etag"]}
    assert ask(admin, "GET", PATH, headers=known).status_code == 304
    tag = {"If-Match": got.headers["etag"]}
    done = ask(admin, "PATCH", PATH, json={"role": "account-operator", "scopes": []}, headers=tag)
    assert done.status_code == 200
    for method, body in (("PATCH", {"role": "account-reader"}), ("DELETE", None)):
        params = {"reason": "left"}
        stale = ask(admin, method, PATH, headers=tag, params=params, json=body)
        assert (stale.status_code, stale.json()["kind"]) == (412, "stale")
    again = {"If-Match": done.headers["etag"]}
    assert ask(admin, "DELETE", PATH, headers=again, params={"reason": "x"}).status_code == 204
    assert ask(admin, "GET", PATH).status_code == 404
