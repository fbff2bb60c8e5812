"""The servers of a shared store over the API."""

from tests.admin.admin_world import AdminWorld
from tests.admin.test_nodes import TwoNodes
from tests.web.api.asking import ask


def test_nodes_are_listed_retired_and_removed() -> None:
    admin = AdminWorld()
    assert ask(admin, "GET", "/v1/nodes").json() == []
    admin.store.nodes = TwoNodes()  # type: ignore[assignment]
    assert [one["name"] for one in ask(admin, "GET", "/v1/nodes").json()] == ["mx1:7", "mx2:9"]
    assert ask(admin, "POST", "/v1/nodes/mx2:9/retire", json={}).json()["name"] == "mx2:9"
    refused = ask(admin, "POST", "/v1/nodes/mx2:9/remove", json={})
    assert (refused.status_code, refused.json()["kind"]) == (409, "conflict")
    assert ask(admin, "POST", "/v1/nodes/mx3:1/remove", json={}).status_code == 404
