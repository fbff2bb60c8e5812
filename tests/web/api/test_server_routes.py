"""Release, status and audit trail over the API."""

from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story


def test_times_are_iso_and_utc() -> None:
    admin = AdminWorld()
    story(admin)
    assert ask(admin, "GET", "/v1/accounts/alpha").json()["created_at"] == "2025-10-09T08:53:20Z"


def test_a_release_and_the_status() -> None:
    admin = AdminWorld()
    story(admin)
    released = ask(
        admin, "POST", "/v1/release", json={"targets": ["alpha.example"], "reason": "by phone"}
    )
    assert released.json()[0]["result"] == "granted"
    assert ask(admin, "GET", "/v1/status").json()["drains"][0]["delivered"] == 5


def test_without_a_server_a_release_is_unavailable() -> None:
    answer = ask(
        AdminWorld(server=None), "POST", "/v1/release", json={"targets": ["alpha.example"]}
    )
    assert (answer.status_code, answer.json()["kind"]) == (503, "unavailable")
