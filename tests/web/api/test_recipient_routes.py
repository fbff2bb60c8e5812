"""Known recipients over the API."""

from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story


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
