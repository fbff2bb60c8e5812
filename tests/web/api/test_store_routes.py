"""The store over the API."""

from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask


def test_a_copy_is_asked_for_by_a_whole_path() -> None:
    answer = ask(AdminWorld(), "POST", "/v1/store/backup", json={"directory": "copy"})
    assert answer.status_code == 422
    assert ask(AdminWorld(), "GET", "/v1/store/backup").status_code == 405


def test_a_store_that_cannot_be_copied_says_so() -> None:
    answer = ask(AdminWorld(), "POST", "/v1/store/backup", json={"directory": "/nowhere"})
    assert (answer.status_code, answer.json()["kind"]) == (409, "conflict")
