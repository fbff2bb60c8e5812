"""One request to a server on a Unix socket: its octets, and each way in which it can fail."""

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from restante.cli.api_client import ask
from restante.cli.failures import Exit, Failure
from restante.cli.socket_request import request_target
from tests.whole_request import read_request

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"


class CannedServer:
    """It answers one request after another with given octets, and keeps the requests."""

    def __init__(self, place: Path) -> None:
        self.answers: list[bytes] = []
        self.requests: list[bytes] = []
        self.read: Callable[[socket.socket], bytes] = read_request
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(place))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                while self.answers and (request := self.read(connection)):
                    self.requests.append(request)
                    connection.sendall(self.answers.pop(0))


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rst") as name:
        yield Path(name) / "control.sock"


@pytest.fixture
def server(place: Path, monkeypatch: pytest.MonkeyPatch) -> CannedServer:
    monkeypatch.setenv("RESTANTE_CONTROL_SOCKET", str(place))
    return CannedServer(place)


def answer(content: bytes, fields: bytes = b"") -> bytes:
    return HEAD % (len(content), fields, content)


def test_all_pages_are_fetched(server: CannedServer) -> None:
    link = b'Link: <http://restante/v1/accounts?limit=1&after=a>; rel="next"\r\n'
    server.answers = [answer(b'["a"]', link), answer(b'["b"]')]
    assert ask(None, "GET", "/v1/accounts", params={"limit": 1, "name": None}) == ["a", "b"]
    lines = [request.splitlines()[0] for request in server.requests]
    assert lines == [
        b"GET /v1/accounts?limit=1 HTTP/1.1",
        b"GET /v1/accounts?limit=1&after=a HTTP/1.1",
    ]


def test_no_page_beyond_the_wanted_items_is_fetched(server: CannedServer) -> None:
    link = b'Link: <http://restante/v1/accounts?limit=1&after=a>; rel="next"\r\n'
    server.answers = [answer(b'["a"]', link), answer(b'["b"]')]
    assert ask(None, "GET", "/v1/accounts", most=1) == ["a"]
    assert len(server.requests) == 1


def test_a_body_is_sent_as_json(server: CannedServer) -> None:
    server.answers = [b"HTTP/1.1 204 No Content\r\n\r\n"]
    assert ask(None, "POST", "/v1/x", body={"note": "é"}) is None
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    fields = {
        name.lower(): value
        for name, _, value in (line.partition(b": ") for line in head.splitlines()[1:])
    }
    assert (body, fields[b"content-type"]) == ('{"note": "é"}'.encode(), b"application/json")
    assert fields[b"user-agent"] == b"restante-cli"


def test_an_error_of_the_api_is_a_failure(server: CannedServer) -> None:
    content = b'{"kind": "not-found", "detail": "x: no such account", "remedy": "look"}'
    server.answers = [answer(content).replace(b"200 OK", b"404 Not Found")]
    with pytest.raises(Failure, match="x: no such account; look") as raised:
        ask(None, "GET", "/v1/accounts/x")
    assert raised.value.code is Exit.NO_INPUT


def test_a_body_refused_before_its_end_is_a_failure_with_its_reason(server: CannedServer) -> None:
    content = b'{"kind": "too-large", "detail": "the body is too large", "remedy": ""}'
    server.answers = [answer(content).replace(b"200 OK", b"413 Content Too Large")]
    server.read = lambda connection: connection.recv(10)
    with pytest.raises(Failure, match="the body is too large"):
        ask(None, "POST", "/v1/x", body={"note": "x" * 4_000_000})


@pytest.mark.parametrize(
    "octets", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]", b"no\r\n"]
)
def test_a_connection_that_ends_early_is_a_failure(server: CannedServer, octets: bytes) -> None:
    server.answers = [octets]
    with pytest.raises(Failure, match="the connection to the server was lost") as raised:
        ask(None, "GET", "/v1/status")
    assert raised.value.code is Exit.TRY_LATER


def test_a_silent_server_is_not_waited_for_longer_than_was_said(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESTANTE_CONTROL_SOCKET", str(place))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        with pytest.raises(Failure, match="did not answer within 0 s") as raised:
            ask(None, "GET", "/v1/status", seconds=0.05)
    assert raised.value.code is Exit.TRY_LATER


def test_a_list_is_repeated_and_text_is_quoted() -> None:
    params = {"domain": ["a.example", "b&c"], "all": True, "after": "é"}
    assert request_target("/v1/status", params) == (
        "/v1/status?domain=a.example&domain=b%26c&all=true&after=%C3%A9"
    )
    assert request_target("/v1/status", {}) == "/v1/status"
