"""Ask for mail by HTTPS: `POST /v1/releases` with a token, and follow the release to its end."""

from __future__ import annotations

import http.client
import io
import json
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, List, cast  # those that Python 3.8 has at run time

from restante_client.client_failure import ClientExit, ClientFailure, shown
from restante_client.endpoints import read_endpoint
from restante_client.release_answers import JsonValue, count_of, read_answers, read_release
from restante_client.smtp_link import connection_failure
from restante_client.tls_trust import ClientTrust

HTTPS_PORT = 443
POLL_SECONDS = 1.0
LONGEST_POLL_SECONDS = 60.0  # between two attempts, while answers are lost
PATIENCE_SECONDS = 600.0  # of pauses, until lost answers end the command
MAX_ANSWER = 1_048_576  # octets
_TOO_MANY = 429
_STATUS_EXITS = {
    400: ClientExit.DATA,
    401: ClientExit.NOT_ALLOWED,
    403: ClientExit.NOT_ALLOWED,
    404: ClientExit.NO_INPUT,
    422: ClientExit.DATA,
    _TOO_MANY: ClientExit.TRY_LATER,
    503: ClientExit.TRY_LATER,
}
_STATUS_REMEDIES = {
    401: "check the token in --token-file: it may have expired or been revoked",
    403: "use a token with the scope {scope}",
    404: "check the server and port",
}
_RESULT_EXITS = {
    "granted": ClientExit.DONE,
    "nothing-held": ClientExit.DONE,
    "refused": ClientExit.NOT_ALLOWED,
    "not-authenticated": ClientExit.NOT_ALLOWED,
    "not-a-target": ClientExit.DATA,
    "cannot-now": ClientExit.TRY_LATER,
}

Show = Callable[[JsonValue], None]


@dataclass(frozen=True)
class ApiServer:
    """The server of the API, and the token for it."""

    server: str  # HOST or HOST:PORT
    token: str = field(repr=False)
    trust: ClientTrust = field(default_factory=ClientTrust)
    timeout: float = 60.0

    def request(self, method: str, path: str, body: JsonValue | None = None) -> tuple[int, Any]:
        """Return status and value of the answer, within the timeout. Raises ClientFailure."""
        host, port = read_endpoint(self.server, HTTPS_PORT)
        end = time.monotonic() + self.timeout
        connection = http.client.HTTPSConnection(
            host, port, timeout=self.timeout, context=self.trust.context()
        )
        try:
            connection.connect()
            assert isinstance(connection.sock, ssl.SSLSocket)
            self.trust.check(connection.sock, self.server)
            headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
            content = None
            if body is not None:
                content = json.dumps(body).encode()
                headers["Content-Type"] = "application/json"
            connection.request(method, path, content, headers)
            # The connection's own answer would wait again for each octet.
            reader = cast(socket.socket, _TimedReader(connection.sock, end))
            answer = http.client.HTTPResponse(reader, method=method)
            answer.begin()
            octets = answer.read(MAX_ANSWER + 1)
        except OSError as error:
            has_certificate = self.trust.certificate is not None
            raise connection_failure(self.server, error, has_certificate=has_certificate) from None
        except (http.client.HTTPException, ValueError) as error:
            raise self._strange(type(error).__name__) from None
        finally:
            connection.close()
        if len(octets) > MAX_ANSWER:
            raise self._strange(f"more than {MAX_ANSWER} octets")
        return answer.status, self._decoded(octets, answer.status)

    def _decoded(self, octets: bytes, status: int) -> Any:
        try:
            return json.loads(octets)
        except (ValueError, RecursionError):
            raise self._strange(f"status {status} without JSON") from None

    def _strange(self, cause: str) -> ClientFailure:
        return ClientFailure(
            ClientExit.UNAVAILABLE,
            f"{self.server}: its answer is not of this API: {cause}; check the server and port",
        )


class _TimedReader(io.RawIOBase):
    """The octets of a connection, all of them until one time."""

    def __init__(self, connection: socket.socket, end: float) -> None:
        super().__init__()
        self._connection = connection
        self._end = end

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what reads the answer. Named by http.client."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise socket.timeout
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


def ask_by_https(asked: ApiServer, targets: Sequence[str]) -> List[JsonValue]:
    """Return the answer for each target. Raises ClientFailure if there is none."""
    status, value = asked.request("POST", "/v1/releases", {"targets": list(targets), "reason": ""})
    answers = read_answers(value)
    if answers is None:
        raise api_refusal(asked.server, status, value)
    return answers


def api_refusal(server: str, status: int, value: object, scope: str = "release") -> ClientFailure:
    """Return the failure for an answer of the API that is not the one that was asked for."""
    cause = f"HTTP {status}"
    if isinstance(value, dict):
        told = value.get("detail") or value.get("title")
        cause = f"{shown(str(told))[:300]} ({cause})" if told else cause
    remedy = _STATUS_REMEDIES.get(status, "ask again later").format(scope=scope)
    code = _STATUS_EXITS.get(status, ClientExit.UNAVAILABLE)
    return ClientFailure(code, f"{server}: {cause}; {remedy}")


def answer_text(answer: JsonValue) -> str:
    """Return an answer as one line, with the reason where mail stays held."""
    line = shown(f"{answer['target']}: {answer['text']}")
    causes = answer.get("suspensions") or [answer.get("reason")]
    if _RESULT_EXITS.get(answer["result"]) is ClientExit.DONE and not answer.get("suspensions"):
        return line
    told = "; ".join(shown(cause) for cause in causes if cause)
    return f"{line}; {told}" if told else line


def answer_exit(answer: JsonValue) -> ClientExit:
    """Return the exit code for an answer. Asking again does not end a suspension."""
    code = _RESULT_EXITS.get(answer["result"], ClientExit.UNAVAILABLE)
    is_suspended = code is ClientExit.TRY_LATER and answer.get("suspensions")
    return ClientExit.DATA if is_suspended else code


def follow_release(
    asked: ApiServer,
    release: str,
    show: Show,
    limit: float,
    sleep: Callable[[float], None] = time.sleep,
) -> JsonValue:
    """Ask for a release until it has ended; `show` gets each state. Raises ClientFailure.

    Lost answers are asked for again, with growing pauses: the release goes on without us.
    """
    if not release.isascii() or not release.isalnum():
        raise ClientFailure(
            ClientExit.UNAVAILABLE, f"{asked.server}: gave no usable id; check the server and port"
        )
    end = time.monotonic() + limit
    pause, lost = POLL_SECONDS, 0.0  # `lost`: pauses since the last answer
    while True:
        try:
            state = _state_of(asked, release)
        except ClientFailure as failure:
            if failure.code not in _MAY_PASS or lost >= PATIENCE_SECONDS:
                raise
            pause = min(max(lost, POLL_SECONDS), LONGEST_POLL_SECONDS)  # each as long as all before
            lost += pause
        else:
            pause, lost = POLL_SECONDS, 0.0
            show(state)
            if state["state"] == "ended":
                return state
        if time.monotonic() + pause > end:
            raise ClientFailure(
                ClientExit.TRY_LATER,
                f"{asked.server}: the release goes on after {limit:g} seconds; ask again later, or"
                " wait longer with --limit",
            )
        sleep(pause)


_MAY_PASS = (ClientExit.TRY_LATER, ClientExit.UNAVAILABLE)


def _state_of(asked: ApiServer, release: str) -> JsonValue:
    status, value = asked.request("GET", f"/v1/releases/{release}")
    state = read_release(value)
    if state is None:
        raise api_refusal(asked.server, status, value)
    return state


def end_text(release: JsonValue) -> str:
    """Return the result of a release as one line."""
    counts = [f"{count_of(release, name):,} {name}" for name in ("delivered", "refused", "left")]
    uncertain = count_of(release, "uncertain")
    if uncertain:
        counts.insert(2, f"{uncertain:,} uncertain")
    return shown(f"{release.get('target', '')}: {', '.join(counts)}")


def end_exit(release: JsonValue) -> ClientExit:
    """Return the exit code for the end of a release. Only mail that is left can be asked for."""
    if count_of(release, "left"):
        return ClientExit.TRY_LATER
    is_bad = count_of(release, "refused", "uncertain")
    return ClientExit.UNAVAILABLE if is_bad else ClientExit.DONE
