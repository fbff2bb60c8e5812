"""Release, status and audit trail over the API."""

from tests.admin.desk import Desk
from tests.web.api.asking import ask, story


def test_times_are_iso_and_utc() -> None:
    desk = Desk()
    story(desk)
    assert ask(desk, "GET", "/v1/accounts/alpha").json()["created_at"] == "2025-10-09T08:53:20Z"


def test_a_release_and_the_status() -> None:
    desk = Desk()
    story(desk)
    released = ask(
        desk, "POST", "/v1/release", json={"targets": ["alpha.example"], "reason": "by phone"}
    )
    assert released.json()[0]["code"] == 253
    assert ask(desk, "GET", "/v1/status").json()["drains"][0]["delivered"] == 5


def test_without_a_server_a_release_is_unavailable() -> None:
    answer = ask(Desk(server=None), "POST", "/v1/release", json={"targets": ["alpha.example"]})
    assert (answer.status_code, answer.json()["kind"]) == (503, "unavailable")
