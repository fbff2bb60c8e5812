"""Ask for mail by HTTPS: `POST /v1/releases` with a token, and follow the release to its end."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List  # Python 3.8 has no dict[…] at run time

from restante_client.client_failure import ClientExit, ClientFailure, shown
from restante_client.endpoints import read_endpoint
from restante_client.smtp_link import connection_failure
from restante_client.tls_trust import ClientTrust

HTTPS_PORT = 443
POLL_SECONDS = 1.0
MAX_ANSWER = 1_048_576  # octets
_MOST = 10**15  # more is no count of messages
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
    403: "use a token with the scope release",
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

JsonValue = Dict[str, Any]
Show = Callable[[JsonValue], None]


@dataclass(frozen=True)
class ApiServer:
    """The server of the API, and the token for it."""

    server: str  # HOST or HOST:PORT
    token: str = field(repr=False)
    trust: ClientTrust = field(default_factory=ClientTrust)
    timeout: float = 60.0

    def request(self, method: str, path: str, body: JsonValue | None = None) -> tuple[int, Any]:
        """Return status and value of the answer. Raises ClientFailure."""
        host, port = read_endpoint(self.server, HTTPS_PORT)
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
            answer = connection.getresponse()
            octets = answer.read(MAX_ANSWER + 1)
        except OSError as error:
            raise connection_failure(self.server, error) from None
        except (http.client.HTTPException, UnicodeError) as error:
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


def ask_by_https(asked: ApiServer, targets: Sequence[str]) -> List[JsonValue]:
    """Return the answer for each target. Raises ClientFailure if there is none."""
    status, value = asked.request("POST", "/v1/releases", {"targets": list(targets), "reason": ""})
    answers = value.get("results") if isinstance(value, dict) else value
    if not isinstance(answers, list) or not all(map(_is_answer, answers)):
        raise _refusal(asked.server, status, value)
    return answers


def _is_answer(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name), str) for name in ("target", "result", "text")
    )


def _refusal(server: str, status: int, value: object) -> ClientFailure:
    cause = f"HTTP {status}"
    if isinstance(value, dict):
        told = value.get("detail") or value.get("title")
        cause = f"{shown(str(told))[:300]} ({cause})" if told else cause
    remedy = _STATUS_REMEDIES.get(status, "ask again later")
    code = _STATUS_EXITS.get(status, ClientExit.UNAVAILABLE)
    return ClientFailure(code, f"{server}: {cause}; {remedy}")


def answer_text(answer: JsonValue) -> str:
    """Return an answer as one line, with the reason where mail stays held."""
    line = shown(f"{answer['target']}: {answer['text']}")
    causes = answer.get("suspensions") or answer.get("reason")
    causes = causes if isinstance(causes, list) else [causes]
    if _RESULT_EXITS.get(answer["result"]) is ClientExit.DONE and not answer.get("suspensions"):
        return line
    told = "; ".join(shown(str(cause)) for cause in causes if cause)
    return f"{line}; {told}" if told else line


def answer_exit(answer: JsonValue) -> ClientExit:
    """Return the exit code for an answer. Asking again does not end a suspension."""
    code = _RESULT_EXITS.get(answer["result"], ClientExit.UNAVAILABLE)
    is_suspended = code is ClientExit.TRY_LATER and answer.get("suspensions")
    return ClientExit.DATA if is_suspended else code


def follow_release(
    asked: ApiServer, release: str, show: Show, sleep: Callable[[float], None] = time.sleep
) -> JsonValue:
    """Ask for a release until it has ended; `show` gets each state. Raises ClientFailure."""
    if not release.isascii() or not release.isalnum():
        raise ClientFailure(
            ClientExit.UNAVAILABLE, f"{asked.server}: gave no usable id; check the server and port"
        )
    while True:
        status, value = asked.request("GET", f"/v1/releases/{release}")
        if not isinstance(value, dict) or not isinstance(value.get("state"), str):
            raise _refusal(asked.server, status, value)
        show(value)
        if value["state"] == "ended":
            return value
        sleep(POLL_SECONDS)


def count_of(release: JsonValue, *names: str) -> int:
    """Return the sum of counts; one that is missing or no count is 0."""
    return sum(one for one in map(release.get, names) if type(one) is int and 0 <= one < _MOST)


def rate_of(release: JsonValue) -> float:
    """Return the messages per second; 0 if that is missing or no rate."""
    rate = release.get("rate")
    return float(rate) if isinstance(rate, (int, float)) and 0 <= rate < _MOST else 0.0


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
