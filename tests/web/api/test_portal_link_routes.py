"""Links into the portal over the API: one answer has the link, and nothing keeps it."""

from tests.admin.admin_world import AdminWorld, FakeServer
from tests.web.api.asking import ask, story

NEW = {"email": "ana@alpha.example", "account": "alpha", "role": "account-admin"}
PATH = "/v1/portal-links"


def admin_with_portal() -> AdminWorld:
    admin = AdminWorld(server=FakeServer())
    admin.set(portal_url=lambda: "https://r.example")
    story(admin)
    assert ask(admin, "POST", "/v1/users", json=NEW).status_code == 201
    return admin


def test_a_link_is_in_its_one_answer() -> None:
    admin = admin_with_portal()
    made = ask(admin, "POST", PATH, json={"user": "ana@alpha.example"})
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    assert made.json()["user"] == "ana@alpha.example"
    assert made.json()["link"].startswith("https://r.example/portal-link/")
    again = ask(admin, "POST", PATH, json={"user": "ana@alpha.example"})
    assert again.json()["link"] != made.json()["link"]


def test_an_unknown_user_and_an_operator_get_none() -> None:
    admin = admin_with_portal()
    operator = {"email": "root@mx.example", "role": "operator"}
    assert ask(admin, "POST", "/v1/users", json=operator).status_code == 201
    assert ask(admin, "POST", PATH, json={"user": "root@mx.example"}).status_code == 403
    assert ask(admin, "POST", PATH, json={"user": "ben@alpha.example"}).status_code == 404
    assert ask(admin, "POST", PATH, json={}).status_code == 422
