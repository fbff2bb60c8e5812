"""Known recipients over the API."""

import pytest

from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story

PATH = "/v1/domains/alpha.example/recipients"


def test_recipients_are_changed_replaced_and_listed() -> None:
    admin = AdminWorld()
    story(admin)
    path = "/v1/domains/alpha.example/recipients"
    ten = [f"user{number}" for number in range(10)]
    assert ask(admin, "PUT", path, json={"addresses": ten}).json()["added"] == 10
    assert ask(admin, "PUT", path, json={"addresses": ["one"]}).status_code == 409
    assert (
        ask(admin, "PUT", path, json={"addresses": ["one"], "is_confirmed": True}).json()["listed"]
        == 1
    )
    assert (
        ask(admin, "PATCH", path, json={"add": ["two"], "remove": ["one"]}).json()["dropped"] == 1
    )
    assert [(each["name"], each["source"]) for each in ask(admin, "GET", path).json()] == [
        ("two", "list")
    ]


@pytest.mark.parametrize(
    ("method", "body"),
    [("PATCH", {"add": ["carl"]}), ("PUT", {"addresses": ["carl"], "is_confirmed": True})],
)
def test_a_list_is_changed_only_as_the_client_knows_it(
    method: str, body: dict[str, object]
) -> None:
    admin = AdminWorld()
    story(admin)
    ask(admin, "PATCH", PATH, json={"add": ["anna"]})
    tag = {"If-Match": ask(admin, "GET", PATH).headers["etag"]}
    assert ask(admin, "GET", f"{PATH}?limit=1").headers["etag"] == tag["If-Match"]
    first = ask(admin, "PATCH", PATH, json={"add": ["bert"]}, headers=tag)
    assert first.status_code == 200
    stale = ask(admin, method, PATH, json=body, headers=tag)
    assert (stale.status_code, stale.json()["kind"]) == (412, "stale")
    assert [one["name"] for one in ask(admin, "GET", PATH).json()] == ["anna", "bert"]
    now = {"If-Match": first.headers["etag"]}
    assert ask(admin, "GET", PATH).headers["etag"] == now["If-Match"]
    assert ask(admin, method, PATH, json=body, headers=now).status_code == 200


def test_a_list_that_is_as_before_has_its_tag_again() -> None:
    admin = AdminWorld()
    story(admin)
    ask(admin, "PATCH", PATH, json={"add": ["anna"]})
    before = ask(admin, "GET", PATH).headers["etag"]
    ask(admin, "PATCH", PATH, json={"add": ["bert"]})
    assert ask(admin, "GET", PATH).headers["etag"] != before
    done = ask(admin, "PATCH", PATH, json={"remove": ["bert"]})
    assert done.headers["etag"] == before
