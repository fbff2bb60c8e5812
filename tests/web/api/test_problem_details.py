"""One shape for every answer that is not a success."""

from typing import Any

import pytest

from restante.admin.admin_error import ErrorKind
from restante.store.store_errors import StoreError
from restante.telemetry.events import InternalError, StoreFailed
from restante.transfer import queue_content
from restante.transfer.transfer_error import TransferError, TransferFault
from restante.web.api.problem_details import STATUSES, problem
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask, story


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("GET", "/v1/accounts/nobody", None, 404, "not-found"),
        ("POST", "/v1/accounts", {"name": "alpha", "note": "x"}, 409, "exists"),
        ("POST", "/v1/accounts", {"name": "Not OK"}, 422, "invalid"),
        ("POST", "/v1/accounts", {"name": "x", "color": "blue"}, 422, "invalid"),
        ("POST", "/v1/accounts", {}, 422, "invalid"),
        ("DELETE", "/v1/accounts/alpha?reason=left", None, 409, "conflict"),
        ("DELETE", "/v1/accounts/alpha?reason=", None, 400, "usage"),
        ("DELETE", "/v1/accounts/alpha", None, 422, "invalid"),
        ("GET", "/v1/nothing", None, 404, "not-found"),
        ("PUT", "/v1/accounts", {}, 405, "usage"),
        ("GET", "/v1/queue?limit=0", None, 422, "invalid"),
        ("GET", "/v1/queue?color=blue", None, 422, "invalid"),
    ],
)
def test_every_no_has_one_shape(method: str, path: str, body: Any, status: int, kind: str) -> None:
    admin = AdminWorld()
    story(admin)
    answer = ask(admin, method, path, json=body)
    assert answer.status_code == status
    assert answer.json()["kind"] == kind
    assert set(answer.json()) == {"type", "title", "status", "detail", "kind", "remedy"}
    assert answer.json()["type"] == f"urn:restante:problem:{kind}"
    assert answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_every_kind_has_its_status() -> None:
    assert set(STATUSES) == set(ErrorKind)


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (TransferFault.MALFORMED, 422),
        (TransferFault.INTERRUPTED, 400),
        (TransferFault.MISSING, 404),
        (TransferFault.DAMAGED, 409),
    ],
)
def test_every_fault_of_a_transfer_has_its_status(
    fault: TransferFault, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise TransferError(fault, "it broke", "send it again")

    monkeypatch.setattr(queue_content, "read_content", fail)
    answer = ask(AdminWorld(), "GET", "/v1/queue/1/content")
    assert (answer.status_code, answer.json()["detail"]) == (status, "it broke")


def test_a_password_of_the_wrong_shape_is_not_repeated() -> None:
    admin = AdminWorld()
    story(admin)
    answer = ask(
        admin, "POST", "/v1/accounts/alpha/logins", json={"user": "p", "password": ["hush hush"]}
    )
    assert answer.status_code == 422
    assert "hush" not in answer.text


def test_a_failing_store_means_try_later(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = AdminWorld()

    async def fail(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(admin.store.records, "put_account", fail)
    answer = ask(admin, "POST", "/v1/accounts", json={"name": "beta"})
    assert (answer.status_code, answer.json()["kind"]) == (503, "try-later")
    assert answer.headers["retry-after"] == "10"
    assert admin.log.lines[-1][0] is StoreFailed


def test_a_defect_is_logged_and_says_nothing_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = AdminWorld()

    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(admin.store.records, "put_account", fail)
    answer = ask(admin, "POST", "/v1/accounts", json={"name": "beta"})
    assert answer.status_code == 500
    assert "inside" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    assert admin.log.lines[-1][0] is InternalError


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/audit", "GET, HEAD"),
        ("/v1/accounts", "GET, HEAD, POST"),
        ("/v1/accounts/alpha", "DELETE, GET, HEAD, PATCH"),
    ],
)
def test_a_method_that_a_path_does_not_take_names_those_that_it_takes(
    path: str, allowed: str
) -> None:
    answer = ask(AdminWorld(), "PUT", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["remedy"] == f"use {allowed}"


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b'{"name": "\\ud800"}', b"null"])
def test_a_body_that_is_no_json_is_an_error_of_the_client(body: bytes) -> None:
    answer = ask(
        AdminWorld(),
        "POST",
        "/v1/accounts",
        content=body,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code in {400, 422}
    assert answer.json()["detail"]


def test_half_a_pair_of_surrogates_in_an_error_can_be_sent() -> None:
    made = problem(404, ErrorKind.NOT_FOUND, "domain \ud800: is not hosted", "see all")
    assert b"domain \\\\ud800" in made.body


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/domains/a%0d%0aSet-Cookie:%20x", None),
        ("GET", "/v1/no%0d%0asuch%0apath", None),
        ("GET", "/v1/releases/a%0ab", None),
        ("POST", "/v1/accounts", {"name": "a\r\nb"}),
        ("POST", "/v1/accounts", {"name": "a", "co\r\nlor": 1}),
        ("GET", "/v1/audit?action=a%0d%0ab", None),
        ("GET", "/v1/domains/%e2%80%ae.example", None),
    ],
)
def test_an_error_repeats_no_line_end_of_the_request(method: str, path: str, body: Any) -> None:
    answer = ask(AdminWorld(), method, path, json=body)
    assert answer.status_code >= 400
    said = answer.json()
    assert said["detail"].isprintable()
    assert said["remedy"].isprintable()
