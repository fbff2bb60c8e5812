"""A release by HTTPS: the answers, a bound for all that the server sends, and the progress."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from restante_client.client_failure import ClientExit
from restante_client.https_release import (
    MAX_ANSWER,
    answer_exit,
    answer_text,
    end_exit,
    follow_release,
)
from tests.restante_client.conftest import Ended, RunClient

SECRET = "rst_secret"
GRANTED = {
    "id": "r1",
    "target": "acme.example",
    "result": "granted",
    "text": "2 messages released",
    "pending": 2,
    "reason": "",
    "suspensions": [],
}
COUNTS = {"target": "acme.example", "refused": 0, "uncertain": 0, "rate": 1.5}
RUNNING = {**COUNTS, "state": "running", "delivered": 1, "left": 1}
ENDED = {**COUNTS, "state": "ended", "delivered": 2, "left": 0}


class Api(HTTPServer):
    """Answers from a list, and keeps what it was asked."""

    def __init__(self, answers: list[tuple[int, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), ApiHandler)
        self.answers = answers
        self.asked: list[tuple[str, str, str]] = []


class ApiHandler(BaseHTTPRequestHandler):
    server: Api
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(
            (f"{self.command} {self.path}", self.headers["Authorization"], body.decode())
        )
        status, value = self.server.answers.pop(0)
        octets = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    do_GET = do_POST  # noqa: N815  named by the base class

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(context: ssl.SSLContext, *answers: tuple[int, Any]) -> Iterator[Api]:
    api = Api([*answers])
    api.socket = context.wrap_socket(api.socket, server_side=True)
    thread = threading.Thread(target=api.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield api
    finally:
        api.shutdown()
        thread.join()
        api.server_close()


@pytest.fixture
def token(ca: Path, tmp_path: Path) -> list[str]:
    (tmp_path / "token").write_text(f"{SECRET}\n")
    (tmp_path / "token").chmod(0o600)
    return ["--https", "--token-file", str(tmp_path / "token"), "--ca", str(ca), "--local", "none"]


def asked(client: RunClient, api: Api, token: list[str], *words: str) -> Ended:
    return client("ask", f"localhost:{api.server_port}", "acme.example", *token, *words)


def test_a_token_asks_for_mail(
    client: RunClient, context: ssl.SSLContext, token: list[str]
) -> None:
    with serving(context, (200, [GRANTED])) as api:
        ended = asked(client, api, token)
    assert (ended.code, ended.out) == (0, "acme.example: 2 messages released\n")
    [(line, authorization, body)] = api.asked
    assert line == "POST /v1/releases"
    assert authorization == "Bearer rst_secret"
    assert json.loads(body) == {"targets": ["acme.example"], "reason": ""}


def test_the_end_of_the_release_is_awaited(
    client: RunClient,
    context: ssl.SSLContext,
    token: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("restante_client.https_release.POLL_SECONDS", 0)
    answers = ((200, [GRANTED]), (200, RUNNING), (200, ENDED))
    with serving(context, *answers) as api:
        ended = asked(client, api, token, "--wait")
    assert ended.code == 0, ended.err
    assert ended.out.splitlines()[1] == "acme.example: 2 delivered, 0 refused, 0 left"
    assert [line for line, *_ in api.asked[1:]] == ["GET /v1/releases/r1"] * 2
    with serving(context, *answers) as api:
        told = json.loads(asked(client, api, token, "--wait", "--json").out)
    assert told["exit"] == 0
    assert told["releases"] == [ENDED]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            (401, {"detail": "not a valid token"}),
            (77, "not a valid token (HTTP 401); check the to"),
        ),
        ((403, {"title": "no right"}), (77, "use a token with the scope release")),
        ((429, {}), (75, "HTTP 429; ask again later")),
        ((503, {"detail": "x\x1b[31m"}), (75, "x\\x1b[31m")),
        ((500, {}), (69, "HTTP 500")),
        ((200, b"<html>"), (69, "its answer is not of this API: status 200 without JSON")),
        ((200, {"a": 1}), (69, "HTTP 200")),
        ((200, [{"target": 1}]), (69, "HTTP 200")),
        ((302, b""), (69, "status 302 without JSON")),
        ((200, b"[" * 200_000), (69, "without JSON")),
        ((200, b"x" * (MAX_ANSWER + 10)), (69, f"more than {MAX_ANSWER} octets")),
    ],
)
def test_any_other_answer_is_told(
    client: RunClient,
    context: ssl.SSLContext,
    token: list[str],
    answer: tuple[int, Any],
    expected: tuple[int, str],
) -> None:
    with serving(context, answer) as api:
        ended = asked(client, api, token)
    assert ended.code == expected[0], ended.err
    assert expected[1] in ended.err
    assert len(ended.err.splitlines()) == 1


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("beginning", "again"),
    [
        (HEAD + b"Content-Length: 900000\r\n\r\n", b" "),
        (HEAD + b"X: ", b"x"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["content", "header", "continue"],
)
def test_an_answer_that_never_ends_is_left_at_the_timeout(
    client: RunClient, context: ssl.SSLContext, token: list[str], beginning: bytes, again: bytes
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection = context.wrap_socket(listener.accept()[0], server_side=True)
            with suppress(OSError), connection:
                connection.sendall(beginning)
                while True:
                    connection.sendall(again)
                    is_left.wait(0.05)

        is_left = threading.Event()
        thread = threading.Thread(target=drip)
        thread.start()
        server = f"localhost:{listener.getsockname()[1]}"
        ended = client("ask", server, "acme.example", *token, "--timeout", "1s")
        is_left.set()
        thread.join()
    assert ended.code == 75
    assert ended.err == f"restante-client: {server}: no answer in time; ask again later\n"


@pytest.mark.parametrize("form", [SECRET, base64.b64encode(SECRET.encode()).decode()])
@pytest.mark.parametrize("words", [[], ["--json"]], ids=["text", "json"])
def test_a_server_that_repeats_the_token_does_not_publish_it(
    client: RunClient, context: ssl.SSLContext, token: list[str], form: str, words: list[str]
) -> None:
    refused = {"target": "a", "result": "refused", "text": f"no {form}", "reason": f"({form})"}
    for answer in ((403, {"detail": f"token {form} is bad"}), (200, [refused])):
        with serving(context, answer) as api:
            ended = asked(client, api, token, *words)
        assert ended.code == 77
        assert form not in ended.out + ended.err


def test_lost_answers_are_asked_for_again(
    client: RunClient,
    context: ssl.SSLContext,
    token: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses = list[float]()
    monkeypatch.setattr(follow_release, "__defaults__", (pauses.append,))
    lost = (503, {"title": "away"})
    with serving(context, (200, [GRANTED]), (200, RUNNING), *[lost] * 4, (200, ENDED)) as api:
        ended = asked(client, api, token, "--wait")
    assert ended.code == 0, ended.err
    assert pauses == [1, 1, 1, 2, 4]
    pauses.clear()
    with serving(context, (200, [GRANTED]), *[lost] * 40) as api:
        ended = asked(client, api, token, "--wait")
    assert ended.code == 75
    assert 600 <= sum(pauses) < 700
    with serving(context, (200, [GRANTED]), (401, {"title": "expired"})) as api:
        assert asked(client, api, token, "--wait").code == 77


def test_a_release_that_never_ends_is_left_at_the_limit(
    client: RunClient, context: ssl.SSLContext, token: list[str]
) -> None:
    with serving(context, (200, [GRANTED]), *[(200, RUNNING)] * 9) as api:
        ended = asked(client, api, token, "--wait", "--limit", "1s")
    assert ended.code == 75
    assert "the release goes on after 1 seconds; ask again later" in ended.err


def test_an_id_that_is_none_is_not_used(
    client: RunClient, context: ssl.SSLContext, token: list[str]
) -> None:
    with serving(context, (200, [{**GRANTED, "id": "../../v1/tokens"}])) as api:
        ended = asked(client, api, token, "--wait")
    assert ended.code == 69
    assert len(api.asked) == 1


def test_a_server_that_is_not_trusted_gets_no_token(
    client: RunClient, context: ssl.SSLContext, token: list[str]
) -> None:
    with serving(context) as api:
        words = [*token[:3], *token[5:], "--pin", "00" * 32]
        assert asked(client, api, words).code == 69
        assert api.asked == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"result": "refused", "reason": "not hosted"}, (ClientExit.NOT_ALLOWED, "; not hosted")),
        ({"result": "cannot-now", "reason": "limit"}, (ClientExit.TRY_LATER, "; limit")),
        (
            {"result": "cannot-now", "suspensions": ["is suspended"]},
            (ClientExit.DATA, "; is suspended"),
        ),
        ({"result": "not-a-target", "reason": ""}, (ClientExit.DATA, "released")),
        ({"result": "granted", "suspensions": ["b is"]}, (ClientExit.DONE, "; b is")),
        ({"result": "new"}, (ClientExit.UNAVAILABLE, "released")),
    ],
)
def test_an_answer_has_its_exit_code_and_reason(
    changes: dict[str, Any], expected: tuple[ClientExit, str]
) -> None:
    answer = {**GRANTED, **changes}
    assert answer_exit(answer) is expected[0]
    assert answer_text(answer).endswith(expected[1])


def test_the_exit_code_tells_what_became_of_the_mail() -> None:
    assert end_exit(ENDED) is ClientExit.DONE
    assert end_exit({**ENDED, "left": 1, "refused": 1}) is ClientExit.TRY_LATER
    assert end_exit({**ENDED, "refused": 1}) is ClientExit.UNAVAILABLE
    assert end_exit({**ENDED, "left": "many"}) is ClientExit.DONE
