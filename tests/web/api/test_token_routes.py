"""Tokens over the API: the answer that adds one has its text, and no other answer."""

from restante.tenancy.api_token import read_token
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story

NEW = {"name": "ci", "account": "alpha", "scopes": ["queue:read"]}


def test_tokens_are_added_listed_and_revoked() -> None:
    admin = AdminWorld()
    story(admin)
    added = ask(admin, "POST", "/v1/tokens", json=NEW)
    assert (added.status_code, added.headers["Cache-Control"]) == (201, "no-store")
    parts = read_token(added.json()["token"])
    assert parts is not None
    listed = ask(admin, "GET", "/v1/tokens", params={"account": "alpha"})
    assert [one["id"] for one in listed.json()] == [parts.id]
    assert parts.secret not in listed.text
    assert ask(admin, "GET", "/v1/tokens", params={"account": ""}).json() == []
    path = f"/v1/tokens/{parts.id}"
    assert ask(admin, "DELETE", path, params={"reason": "leaked"}).status_code == 204
    assert [one["state"] for one in ask(admin, "GET", "/v1/tokens").json()] == ["revoked"]


def test_an_unknown_scope_or_role_is_refused() -> None:
    admin = AdminWorld()
    story(admin)
    for wrong in ({"scopes": ["queue:all"]}, {"role": "root"}, {"expires_at": "2099-01-01T00:00"}):
        assert ask(admin, "POST", "/v1/tokens", json=NEW | wrong).status_code == 422
    assert ask(admin, "DELETE", "/v1/tokens/unknown000", params={"reason": "x"}).status_code == 404
