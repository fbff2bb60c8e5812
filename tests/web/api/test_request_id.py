"""Each answer has the id of its request."""

import pytest

from restante.web.api.request_id import id_of, request_id
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask


def test_a_plain_id_is_repeated() -> None:
    answer = ask(AdminWorld(), "GET", "/v1/accounts", headers={"X-Request-Id": "ci-1.7"})
    assert answer.headers["x-request-id"] == "ci-1.7"


@pytest.mark.parametrize("given", [b"", b"a b", b"\xff", b"x" * 129, b"a\r\nb", b"ok\n"])
def test_an_odd_id_is_replaced(given: bytes) -> None:
    made = request_id(given)
    assert made.encode() != given
    assert len(made) == 24
    assert made != request_id(given)


def test_an_error_has_an_id_too() -> None:
    assert ask(AdminWorld(), "GET", "/v1/nothing").headers["x-request-id"]


def test_a_request_that_never_got_one_has_none() -> None:
    assert id_of({"type": "http"}) == ""
