"""The API's shapes. The tests of `admin/` cover its decisions."""

import asyncio
import hashlib
import json
import threading
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from restante.admin.admin_error import ErrorKind
from restante.mail.import_stream import WHOLE, StreamLabel, Unpacker, pack_block, pack_label
from restante.store.store_errors import StoreError
from restante.telemetry.events import InternalError, StoreFailed
from restante.transfer import queue_content
from restante.transfer.transfer_error import TransferError, TransferFault
from restante.web.api.api_application import Prepared, build_api
from restante.web.api.problem_details import STATUSES
from tests.admin.desk import HEAD, Desk


def ask(desk: Desk, method: str, path: str, **request: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(
            build_api(desk.context, desk.context.principal), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            return await client.request(method, path, **request)

    return asyncio.run(once())


def story(desk: Desk) -> int:
    return asyncio.run(desk.host("alpha.example", "alpha"))


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/queue", "/v1/status", "/metrics"])
def test_a_client_that_the_socket_does_not_name_is_forbidden_everything(path: str) -> None:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(build_api(Desk().context))
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            return await client.get(path)

    answer = asyncio.run(once())
    assert (answer.status_code, answer.json()["kind"]) == (403, "not-allowed")
    assert answer.json()["error"].endswith(": anonymous is not allowed to")


def test_records_are_added_listed_changed_and_removed() -> None:
    desk = Desk()
    assert ask(desk, "POST", "/v1/accounts", json={"name": "alpha"}).status_code == 201
    domain = {
        "name": "alpha.example",
        "account": "alpha",
        "destination": "192.0.2.1",
        "allow": ["192.0.2.1"],
    }
    assert ask(desk, "POST", "/v1/domains", json=domain).json()["warnings"] == []
    assert ask(desk, "GET", "/v1/domains", params={"account": "alpha"}).json()[0]["allow"] == [
        "192.0.2.1"
    ]
    changed = ask(desk, "PATCH", "/v1/domains/alpha.example", json={"connections": 9})
    assert changed.json()["domain"]["connections"] == 9
    assert (
        ask(desk, "DELETE", "/v1/domains/alpha.example", params={"reason": "moved"}).status_code
        == 204
    )
    assert ask(desk, "DELETE", "/v1/accounts/alpha", params={"reason": "left"}).status_code == 204
    assert ask(desk, "GET", "/v1/accounts").json() == []
    assert [
        entry["action"] for entry in ask(desk, "GET", "/v1/audit", params={"limit": 2}).json()
    ] == [
        "account-removed",
        "domain-removed",
    ]


def test_what_the_api_has_is_shown_and_made_where_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    makers = []
    real = FastAPI.openapi

    def noting(self: FastAPI) -> dict[str, Any]:
        makers.append(threading.current_thread())
        return real(self)

    monkeypatch.setattr(FastAPI, "openapi", noting)
    schema = ask(Desk(), "GET", "/v1/openapi.json").json()
    assert threading.main_thread() not in makers
    assert {"/v1/status", "/v1/queue/{name}/content", "/metrics"} <= schema["paths"].keys()
    audit = [parameter["name"] for parameter in schema["paths"]["/v1/audit"]["get"]["parameters"]]
    assert sorted(audit) == [
        "account",
        "action",
        "actor",
        "domain",
        "limit",
        "reason",
        "since",
        "until",
    ]


def test_routes_are_made_once_and_where_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the first request; those that come meanwhile wait for it."""
    makers = []
    real = FastAPI.openapi

    def noting(self: FastAPI) -> dict[str, Any]:
        makers.append(threading.current_thread())
        return real(self)

    async def ask_three() -> list[int]:
        transport = httpx.ASGITransport(
            Prepared(build_api(Desk().context, Desk().context.principal))
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            answers = await asyncio.gather(*(client.get("/v1/accounts") for _ in range(3)))
            return [answer.status_code for answer in answers]

    monkeypatch.setattr(FastAPI, "openapi", noting)
    assert asyncio.run(ask_three()) == [200, 200, 200]
    assert len(makers) == 1
    assert threading.main_thread() not in makers


def test_no_request_is_read_or_answered_in_a_thread_of_the_framework(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To start one, the event loop waits for it."""

    def refuse(*_: object) -> None:
        raise AssertionError("a thread was asked for")

    monkeypatch.setattr("fastapi.dependencies.utils.run_in_threadpool", refuse)
    monkeypatch.setattr("fastapi.routing.run_in_threadpool", refuse)
    monkeypatch.setattr("starlette.routing.run_in_threadpool", refuse)
    desk = Desk()
    story(desk)
    schema = ask(desk, "GET", "/v1/openapi.json").json()
    paths = [path for path, methods in schema["paths"].items() if "get" in methods]
    names = {"name": "alpha.example", "account": "alpha", "domain": "alpha.example", "number": 1}
    for path in paths:
        assert ask(desk, "GET", path.format(**names)).status_code in (200, 404, 422), path
    assert len(paths) > 10


def test_a_policy_is_given_and_shown() -> None:
    desk = Desk()
    story(desk)
    given = {
        "hold": "suspended",
        "reason": "not paid",
        "until": "2099-01-01T00:00:00Z",
        "quota": 1000,
    }
    policy = ask(desk, "PATCH", "/v1/domains/alpha.example", json=given).json()["domain"]["policy"]
    assert {name: policy[name] for name in given} == given
    assert policy["hold_otherwise"] == "until-asked"
    assert (
        ask(
            desk, "PATCH", "/v1/domains/alpha.example", json={"until": "2099-01-01T00:00:00"}
        ).status_code
        == 422
    )
    assert ask(desk, "PATCH", "/v1/accounts/alpha", json={"quota": 7}).json()["quota"] == 7


def test_recipients_are_changed_replaced_and_listed() -> None:
    desk = Desk()
    story(desk)
    path = "/v1/domains/alpha.example/recipients"
    ten = [f"user{number}" for number in range(10)]
    assert ask(desk, "PUT", path, json={"addresses": ten}).json()["added"] == 10
    assert ask(desk, "PUT", path, json={"addresses": ["one"]}).status_code == 409
    assert (
        ask(desk, "PUT", path, json={"addresses": ["one"], "is_confirmed": True}).json()["listed"]
        == 1
    )
    assert ask(desk, "PATCH", path, json={"add": ["two"], "remove": ["one"]}).json()["dropped"] == 1
    assert [(each["name"], each["source"]) for each in ask(desk, "GET", path).json()] == [
        ("two", "list")
    ]


def test_times_are_iso_and_utc() -> None:
    desk = Desk()
    story(desk)
    assert ask(desk, "GET", "/v1/accounts/alpha").json()["created_at"] == "2025-10-09T08:53:20Z"


def test_the_queue_is_filtered_shown_and_changed() -> None:
    desk = Desk()
    number = story(desk)
    asyncio.run(desk.hold(1, number, "x@alpha.example", reverse_path=""))
    listed = ask(
        desk,
        "GET",
        "/v1/queue",
        params={"domain": "alpha.example", "reverse_path": "", "status": "held"},
    )
    assert [message["name"] for message in listed.json()] == ["1"]
    assert ask(desk, "GET", "/v1/queue/1").json()["headers"][1]["name"] == "Subject"
    assert ask(desk, "POST", "/v1/queue/release", json={"names": ["1"]}).json() == {
        "changed": 0,
        "missing": [],
        "damaged": [],
    }
    deleted = ask(desk, "POST", "/v1/queue/delete", json={"names": ["1"], "reason": "spam"})
    assert deleted.json() == {"changed": 1, "missing": []}


def test_a_release_and_the_status() -> None:
    desk = Desk()
    story(desk)
    released = ask(
        desk, "POST", "/v1/release", json={"nodes": ["alpha.example"], "reason": "by phone"}
    )
    assert released.json()[0]["code"] == 253
    assert ask(desk, "GET", "/v1/status").json()["drains"][0]["delivered"] == 5


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("GET", "/v1/accounts/nobody", None, 404, "not-found"),
        ("POST", "/v1/accounts", {"name": "alpha"}, 409, "exists"),
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
    desk = Desk()
    story(desk)
    answer = ask(desk, method, path, json=body)
    assert answer.status_code == status
    assert answer.json()["kind"] == kind
    assert set(answer.json()) == {"error", "remedy", "kind"}


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
    answer = ask(Desk(), "GET", "/v1/queue/1/content")
    assert (answer.status_code, answer.json()["error"]) == (status, "it broke")


def test_without_a_server_a_release_is_unavailable() -> None:
    answer = ask(Desk(server=None), "POST", "/v1/release", json={"nodes": ["alpha.example"]})
    assert (answer.status_code, answer.json()["kind"]) == (503, "unavailable")


def test_a_password_of_the_wrong_shape_is_not_repeated() -> None:
    desk = Desk()
    story(desk)
    answer = ask(
        desk, "POST", "/v1/accounts/alpha/logins", json={"user": "p", "password": ["hush hush"]}
    )
    assert answer.status_code == 422
    assert "hush" not in answer.text


def test_a_failing_store_means_try_later(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()

    async def fail(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(desk.store.records, "put_account", fail)
    answer = ask(desk, "POST", "/v1/accounts", json={"name": "beta"})
    assert (answer.status_code, answer.json()["kind"]) == (503, "try-later")
    assert desk.log.lines[-1][0] is StoreFailed


def test_a_defect_is_logged_and_says_nothing_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()

    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(desk.store.records, "put_account", fail)
    answer = ask(desk, "POST", "/v1/accounts", json={"name": "beta"})
    assert answer.status_code == 500
    assert "inside" not in answer.text
    assert desk.log.lines[-1][0] is InternalError


def test_what_matches_is_named_counted_exported_and_imported() -> None:
    desk = Desk()
    number = story(desk)
    asyncio.run(desk.hold(1, number, "x@alpha.example", "y@alpha.example"))
    named = ask(
        desk, "GET", "/v1/queue/selection", params={"domain": "alpha.example", "recipient": "x@*"}
    )
    assert named.json() == {
        "names": ["1"],
        "octets": len(HEAD),
        "domains": ["alpha.example"],
        "shared": 1,
    }
    assert ask(desk, "GET", "/v1/queue/1/content").content == HEAD
    digests = ask(desk, "POST", "/v1/queue/digests", json={"names": ["1", "2"]})
    assert digests.json() == {"1": hashlib.sha256(HEAD).hexdigest()}
    stream = ask(
        desk,
        "POST",
        "/v1/queue/export",
        json={"selection": {"domain": "alpha.example"}, "reason": "out"},
    )
    assert stream.headers["content-type"] == "application/x-restante-mail"
    label, content, _ = list(Unpacker().receive(stream.content))
    assert content == HEAD
    assert isinstance(label, StreamLabel)
    mine = {"reverse_path": "", "forward_paths": ["z@alpha.example"]}
    imported = ask(
        desk,
        "POST",
        "/v1/queue/import",
        content=pack_label(json.dumps(mine)) + pack_block(HEAD) + WHOLE,
    )
    assert imported.status_code == 201
    assert len(imported.json()[0]["held"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "request_", "status"),
    [
        ("GET", "/v1/queue/7/content", {}, 404),
        ("GET", "/v1/queue/selection", {"params": {"recipient": ""}}, 422),
        ("GET", "/v1/queue/selection", {"params": {"domain": "gamma.example"}}, 404),
        ("POST", "/v1/queue/export", {"json": {"selection": {"domain": "gamma.example"}}}, 404),
        ("POST", "/v1/queue/export", {"json": {"names": ["!"]}}, 422),
        ("POST", "/v1/queue/import", {"content": b"nonsense"}, 422),
    ],
)
def test_what_is_wrong_with_many_is_said_before_any_is_given(
    method: str, path: str, request_: dict[str, Any], status: int
) -> None:
    desk = Desk()
    story(desk)
    answer = ask(desk, method, path, **request_)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "remedy", "kind"}


def test_an_import_that_breaks_off_is_no_defect_and_leaves_nothing() -> None:
    desk = Desk()
    story(desk)
    mine = {"reverse_path": "", "forward_paths": ["z@alpha.example"]}
    messages: list[dict[str, Any]] = [
        {
            "type": "http.request",
            "body": pack_label(json.dumps(mine)) + b"ff\nabc",
            "more_body": True,
        },
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(_message: Any) -> None:
        """Nobody gets it."""

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/queue/import",
        "query_string": b"",
        "headers": [],
    }
    asyncio.run(build_api(desk.context, desk.context.principal)(scope, receive, send))
    assert not [event for event, _ in desk.log.lines if event is InternalError]
    assert desk.store.figures.usages() == {}
