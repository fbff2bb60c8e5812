"""A request by ETRN, once the local server is up."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from tests.cli.answering import Script, answering
from tests.restante_client.conftest import RunClient
from tests.restante_client.local_stub import LocalStub


@pytest.fixture
def script(context: ssl.SSLContext) -> Script:
    return Script(context, replies={"AUTH PLAIN": "235 fine", "ETRN": "253 OK, 2 pending messages"})


def test_the_local_server_is_up_before_mail_is_asked_for(
    client: RunClient, script: Script, who: list[str]
) -> None:
    with LocalStub("421 starting") as local, answering(script):
        ended = client(
            *("ask", f"localhost:{script.port}", "a.example", "#acme", *who),
            *("--local", local.address),
        )
    assert ended.code == 0
    assert ended.out.splitlines() == [
        "a.example: pending messages started (253 OK, 2 pending messages)",
        "#acme: pending messages started (253 OK, 2 pending messages)",
    ]
    assert "waiting for the local mail server" in ended.err
    assert local.heard == ["QUIT"]
    assert script.heard[-3:] == ["ETRN a.example", "ETRN #acme", "QUIT"]


def test_without_a_local_server_nothing_is_asked(
    client: RunClient, script: Script, who: list[str]
) -> None:
    with LocalStub() as local:
        address = local.address
    with answering(script):
        ended = client(
            *("ask", f"localhost:{script.port}", "a.example", *who),
            *("--local", address, "--local-wait", "1s"),
        )
    assert ended.code == 75
    assert script.heard == []


def test_the_answers_are_json(client: RunClient, script: Script, who: list[str]) -> None:
    script.replies = {"ETRN B": "459 4.7.1 no", **script.replies}
    with answering(script):
        ended = client(
            *("ask", f"localhost:{script.port}", "a.example", "b.example", *who),
            *("--local", "none", "--json"),
        )
    told = json.loads(ended.out)
    assert ended.code == told["exit"] == 77
    assert [one["code"] for one in told["answers"]] == [253, 459]
    assert [one["exit"] for one in told["answers"]] == [0, 77]


def test_the_password_comes_from_a_credential(
    client: RunClient,
    script: Script,
    who: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(Path(who[3]).parent))
    who[3] = "credential:password"
    with answering(script):
        ended = client("ask", f"localhost:{script.port}", "a.example", *who, "--local", "none")
    assert ended.code == 0
