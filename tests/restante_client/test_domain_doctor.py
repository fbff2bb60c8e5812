"""`doctor` and `snippet`: the server's rows, this machine's rows, and the lines."""

from __future__ import annotations

import json
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from restante_client.domain_doctor import VERDICTS, check_exit, row_lines, summary
from tests.restante_client.conftest import Ended, RunClient
from tests.restante_client.local_stub import LocalStub
from tests.restante_client.test_domain_answers import ROW, SNIPPET
from tests.restante_client.test_https_release import SECRET, Api, serving


def at(ahead: float = 0.0) -> str:
    return datetime.fromtimestamp(time.time() + ahead, UTC).isoformat()


def check(*verdicts: str, ahead: float = 0.0) -> dict[str, Any]:
    rows = [{**ROW, "verdict": verdict, "remedy": "mend it"} for verdict in verdicts]
    return {"at": at(ahead), "rows": rows}


@pytest.fixture
def token(ca: Path, tmp_path: Path) -> list[str]:
    (tmp_path / "token").write_text(f"{SECRET}\n")
    (tmp_path / "token").chmod(0o600)
    return ["--token-file", str(tmp_path / "token"), "--ca", str(ca)]


def run(client: RunClient, api: Api, verb: str, *words: str) -> Ended:
    return client(verb, f"localhost:{api.server_port}", "acme.example", *words)


def test_the_rows_of_the_server_and_of_this_machine(
    client: RunClient, context: ssl.SSLContext, token: list[str]
) -> None:
    with serving(context, (200, check("pass", "warn"))) as api, LocalStub() as local:
        ended = run(client, api, "doctor", *token, "--local", local.address)
    assert ended.code == 0, ended.err
    [(line, authorization, _)] = api.asked
    assert line == "POST /v1/domains/acme.example/check"
    assert authorization == f"Bearer {SECRET}"
    assert "PASS     clock of this machine" in ended.out
    assert "PASS     mail server of this machine" in ended.out
    assert ended.out.splitlines()[-1] == "1 WARN, 3 PASS"


def test_a_failure_is_the_exit_code(
    client: RunClient, context: ssl.SSLContext, token: list[str]
) -> None:
    with serving(context, (200, check("fail"))) as api:
        ended = run(client, api, "doctor", *token, "--local", "none", "--json")
    told = json.loads(ended.out)
    assert ended.code == told["exit"] == 2
    assert [row["check"] for row in told["rows"]] == ["mx", "clock"]


def test_a_local_server_that_is_down_is_a_failure(
    client: RunClient,
    context: ssl.SSLContext,
    token: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("restante_client.domain_doctor.LOCAL_SECONDS", 0)
    with serving(context, (200, check("pass"))) as api:
        ended = run(client, api, "doctor", *token, "--local", "127.0.0.1:1")
    assert ended.code == 2
    assert "FAIL     mail server of this machine" in ended.out
    assert "-> start it, or name its address with --local" in ended.out


@pytest.mark.parametrize(("ahead", "verdict"), [(30, "pass"), (-3600, "warn"), (3600, "warn")])
def test_a_clock_that_is_wrong_is_told(
    client: RunClient, context: ssl.SSLContext, token: list[str], ahead: float, verdict: str
) -> None:
    with serving(context, (200, check("pass", ahead=ahead))) as api:
        ended = run(client, api, "doctor", *token, "--local", "none", "--json")
    [clock] = [row for row in json.loads(ended.out)["rows"] if row["check"] == "clock"]
    assert clock["verdict"] == verdict


def test_a_token_without_the_right_is_told_its_scope(
    client: RunClient, context: ssl.SSLContext, token: list[str]
) -> None:
    for verb, words, scope in (
        ("doctor", ["--local", "none"], "domain:write"),
        ("snippet", ["--for", "exim"], "domain:read"),
    ):
        with serving(context, (403, {"detail": "not allowed"})) as api:
            ended = run(client, api, verb, *token, *words)
        assert ended.code == 77
        assert f"use a token with the scope {scope}" in ended.err


def test_the_lines_are_printed_whole_with_their_danger(
    client: RunClient, context: ssl.SSLContext, token: list[str]
) -> None:
    long = "x" * 120
    answer = [{**SNIPPET, "parts": [{"place": "a.conf", "text": f"a = 1;\n  {long}"}]}]
    with serving(context, (200, answer)) as api:
        ended = run(client, api, "snippet", *token, "--for", "rspamd")
    assert ended.code == 0, ended.err
    assert api.asked[0][0] == "GET /v1/domains/acme.example/snippets?for=rspamd"
    lines = ended.out.splitlines()
    assert lines[:4] == ["In a.conf:", "", "a = 1;", f"  {long}"]
    assert "Danger: Beware." in lines


def test_rows_fit_a_terminal_and_show_no_control_characters() -> None:
    row = {**ROW, "evidence": "word " * 60 + "\x1b[31m", "remedy": "do " * 60, "snippet": "a\x07"}
    lines = row_lines(row)
    assert all(len(line) <= 80 for line in lines)
    assert all(line.isprintable() for line in lines)


def test_the_summary_has_the_worst_first() -> None:
    rows = [{**ROW, "verdict": verdict} for verdict in reversed(VERDICTS)]
    assert summary(rows) == "1 FAIL, 1 WARN, 1 UNKNOWN, 1 PASS"
    assert check_exit(rows) == 2
    assert check_exit(rows[:-1]) == 0
