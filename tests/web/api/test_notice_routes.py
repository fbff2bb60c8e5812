"""Channels of notices over the API."""

from restante.notices.webhook_signature import new_signing_key
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story

PATH = "/v1/notices/channels"
CHANNEL = {
    "name": "post",
    "account": "alpha",
    "webhook": "https://a.example/secret-path",
    "key": new_signing_key(),
    "kinds": ["primary-away"],
}


def test_channels_are_added_listed_changed_tried_and_removed() -> None:
    admin = AdminWorld()
    story(admin)
    added = ask(admin, "POST", PATH, json=CHANNEL)
    assert (added.status_code, added.json()["name"]) == (201, "post")
    assert "secret-path" not in added.text
    assert len(ask(admin, "GET", PATH, params={"account": "alpha"}).json()) == 1
    assert ask(admin, "GET", PATH, params={"account": ""}).json() == []
    of_alpha = {"account": "alpha", "reason": "as asked"}
    changed = ask(admin, "PATCH", f"{PATH}/post", json={"kinds": ["primary-back"]}, params=of_alpha)
    assert changed.status_code == 200
    tried = ask(admin, "POST", f"{PATH}/post/test", params={"account": "alpha"})
    assert tried.status_code == 200
    assert len(admin.transports.sent) == 1
    assert ask(admin, "DELETE", f"{PATH}/post", params=of_alpha).status_code == 204
    assert ask(admin, "GET", PATH).json() == []


def test_no_notice_waits_on_a_quiet_server() -> None:
    admin = AdminWorld()
    assert ask(admin, "GET", "/v1/notices/waiting").json() == []
    assert ask(admin, "GET", "/v1/notices/waiting", params={"limit": 0}).status_code == 422
