"""A body with too many parts costs the event loop nothing."""

import pytest

from restante.web.api.checked_route import MOST_PARTS, has_too_many_parts
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story

LISTS = b'{"add": [' + b"[]," * MOST_PARTS + b"[]]}"
FIELDS = b"{" + b",".join(b'"%x":1' % n for n in range(MOST_PARTS + 1)) + b"}"


@pytest.mark.parametrize("body", [LISTS, FIELDS], ids=["lists", "fields"])
def test_a_body_of_too_many_parts_is_refused(body: bytes) -> None:
    admin = AdminWorld()
    story(admin)
    headers = {"Content-Type": "application/json"}
    answer = ask(
        admin, "PATCH", "/v1/domains/alpha.example/recipients", content=body, headers=headers
    )
    assert answer.status_code == 422
    assert answer.json()["detail"] == f"body: has more than {MOST_PARTS} fields or lists"


def test_addresses_are_no_parts() -> None:
    assert not has_too_many_parts(b'{"add": [' + b'"a",' * 100_000 + b'"a"]}')


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "one", "name": "two"}',
        b'{"name": "one", "n\\u0061me": "two"}',
        b'{"note": "x", "name": "one", "note": "y"}',
    ],
)
def test_a_field_that_is_there_twice_is_refused(body: bytes) -> None:
    admin = AdminWorld()
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = ask(admin, "POST", "/v1/accounts", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"].endswith("twice")
    assert not admin.context.directory.now.accounts
    good = ask(admin, "POST", "/v1/accounts", content=b'{"name": "one"}', headers=headers)
    assert good.status_code == 201


def test_a_body_that_is_no_json_is_refused_as_before() -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b'{"name": ', b"\xff", b"[" * 9000):
        answer = ask(AdminWorld(), "POST", "/v1/accounts", content=body, headers=headers)
        assert answer.status_code in (400, 422)
        assert answer.json()["detail"].startswith("body: ")
