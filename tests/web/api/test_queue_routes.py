"""Held mail over the API: shown, changed, exported and imported."""

import asyncio
import hashlib
import json
from typing import Any

import pytest

from restante.mail.import_stream import WHOLE, StreamLabel, StreamUnpacker, pack_block, pack_label
from restante.telemetry.events import InternalError
from restante.web.api.api_application import build_api
from tests.admin.admin_world import HEAD, AdminWorld
from tests.web.api.asking import ask, story


def test_the_queue_is_filtered_shown_and_changed() -> None:
    admin = AdminWorld()
    number = story(admin)
    asyncio.run(admin.hold(1, number, "x@alpha.example", reverse_path=""))
    listed = ask(
        admin,
        "GET",
        "/v1/queue",
        params={"domain": "alpha.example", "reverse_path": "", "status": "held"},
    )
    assert [message["name"] for message in listed.json()] == ["1"]
    assert ask(admin, "GET", "/v1/queue/1").json()["headers"][1]["name"] == "Subject"
    released = ask(admin, "POST", "/v1/queue/release", json={"names": ["1"]}).json()
    [answer] = released.pop("handed_over")
    assert released == {"changed": 0, "missing": [], "damaged": []}
    assert (answer["target"], answer["result"], answer["pending"]) == ("1", "granted", 1)
    deleted = ask(admin, "POST", "/v1/queue/delete", json={"names": ["1"], "reason": "spam"})
    assert deleted.json() == {"changed": 1, "missing": []}


def test_matching_mail_is_named_counted_exported_and_imported() -> None:
    admin = AdminWorld()
    number = story(admin)
    asyncio.run(admin.hold(1, number, "x@alpha.example", "y@alpha.example"))
    named = ask(
        admin, "GET", "/v1/queue/selection", params={"domain": "alpha.example", "recipient": "x@*"}
    )
    assert named.json() == {
        "names": ["1"],
        "octets": len(HEAD),
        "domains": ["alpha.example"],
        "shared": 1,
    }
    assert ask(admin, "GET", "/v1/queue/1/content").content == HEAD
    digests = ask(admin, "POST", "/v1/queue/digests", json={"names": ["1", "2"]})
    assert digests.json() == {"1": hashlib.sha256(HEAD).hexdigest()}
    stream = ask(
        admin,
        "POST",
        "/v1/queue/export",
        json={"selection": {"domain": "alpha.example"}, "reason": "out"},
    )
    assert stream.headers["content-type"] == "application/x-restante-mail"
    label, content, _ = list(StreamUnpacker().receive(stream.content))
    assert content == HEAD
    assert isinstance(label, StreamLabel)
    mine = {"reverse_path": "", "forward_paths": ["z@alpha.example"]}
    imported = ask(
        admin,
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
def test_wrong_requests_name_fault_and_remedy(
    method: str, path: str, request_: dict[str, Any], status: int
) -> None:
    admin = AdminWorld()
    story(admin)
    answer = ask(admin, method, path, **request_)
    assert answer.status_code == status
    assert {"detail", "remedy", "kind"} <= set(answer.json())


def test_an_import_that_breaks_off_is_no_defect_and_leaves_nothing() -> None:
    admin = AdminWorld()
    story(admin)
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
    asyncio.run(build_api(admin.context, admin.context.principal)(scope, receive, send))
    assert not [event for event, _ in admin.log.lines if event is InternalError]
    assert admin.store.figures.usages() == {}
