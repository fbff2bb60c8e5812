"""An authority in memory that can misbehave. Pebble shows that the client speaks to a real one."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from restante.acme.challenge_answers import CHALLENGE_PATH, ChallengeAnswers
from restante.network.outgoing_http import (
    OutgoingAnswer,
    OutgoingFailed,
    OutgoingHttp,
    OutgoingRequest,
)
from tests.acme.test_certificate_files import issued

BASE = "https://ca.example"
TERMS = "https://ca.example/terms"
ERROR = "urn:ietf:params:acme:error:"


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class StubAuthority:
    """Answers as RFC 8555 §7 says, where no fault is given."""

    answers: ChallengeAnswers = field(default_factory=ChallengeAnswers)
    terms: str = TERMS
    bad_nonces: int = 0  # requests that it refuses for their nonce
    polls: int = 1  # looks at a resource until it is decided
    challenge: str = "http-01"
    fault: Mapping[str, Callable[[], OutgoingAnswer]] = field(default_factory=dict)  # by path
    asked: list[str] = field(default_factory=list)
    payloads: dict[str, Any] = field(default_factory=dict)  # the last one by path
    seen: str | None = None  # the answer of the listener to the challenge
    is_valid: bool = False
    _nonces: int = 0
    _chain: bytes = b""

    @property
    def http(self) -> OutgoingHttp:
        """As the client wants it."""
        return cast(OutgoingHttp, self)

    async def fetch(self, request: OutgoingRequest) -> OutgoingAnswer:
        path = request.url.removeprefix(BASE)
        self.asked.append(f"{request.method} {path}")
        if path in self.fault:
            return self.fault[path]()
        if request.method == "POST":
            body = json.loads(request.body)
            header, payload = json.loads(decoded(body["protected"])), decoded(body["payload"])
            assert header["url"] == request.url
            assert request.headers["content-type"] == "application/jose+json"
            assert header["nonce"] == f"nonce-{self._nonces}"
            assert ("jwk" in header) == (path == "/account")
            if self.bad_nonces:
                self.bad_nonces -= 1
                return self._answer({"type": f"{ERROR}badNonce"}, 400)
            self.payloads[path] = json.loads(payload) if payload else None
        return self._resource(path)

    def _answer(self, document: Any, status: int = 200, **headers: str) -> OutgoingAnswer:
        self._nonces += 1
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return OutgoingAnswer(status, body, {"replay-nonce": f"nonce-{self._nonces}", **headers})

    def _resource(self, path: str) -> OutgoingAnswer:
        if path == "/dir":
            return OutgoingAnswer(200, json.dumps(self._directory()).encode())
        created = {"/account": "account/1", "/orders": "order/1"}
        if path in created:
            document = self._order("pending")
            return self._answer(document, 201, location=f"{BASE}/{created[path]}")
        if path == "/challenge/1":
            self.seen = self.answers.answer(f"{CHALLENGE_PATH}token")
        if path == "/finalize/1":
            self._chain = issued(decoded(self.payloads[path]["csr"]))
        documents: dict[str, Callable[[], Any]] = {
            "/authz/1": self._authorization,
            "/finalize/1": lambda: self._order("processing"),
            "/order/1": lambda: self._order("valid"),
            "/certificate/1": lambda: self._chain,
        }
        return self._answer(documents.get(path, dict)())

    def _directory(self) -> dict[str, Any]:
        places = {"newNonce": "nonce", "newAccount": "account", "newOrder": "orders"}
        urls = {name: f"{BASE}/{place}" for name, place in places.items()}
        return {**urls, "meta": {"termsOfService": self.terms}}

    def _order(self, status: str) -> dict[str, Any]:
        return {
            "status": status,
            "authorizations": [f"{BASE}/authz/1"],
            "finalize": f"{BASE}/finalize/1",
            "certificate": f"{BASE}/certificate/1",
        }

    def _authorization(self) -> dict[str, Any]:
        is_decided = self.is_valid
        if self.seen is not None:
            self.polls -= 1
            is_decided = self.polls <= 0
        challenge = {"type": self.challenge, "token": "token", "url": f"{BASE}/challenge/1"}
        return {
            "status": "valid" if is_decided else "pending",
            "challenges": [{"type": "dns-01"}, challenge],
        }


def problem(kind: str, detail: str = "", status: int = 403) -> Callable[[], OutgoingAnswer]:
    """Return a fault: an error document."""
    document = {"type": f"{ERROR}{kind}", "detail": detail}
    headers = {"replay-nonce": "nonce-x"}
    return lambda: OutgoingAnswer(status, json.dumps(document).encode(), headers)


def unreachable() -> OutgoingAnswer:
    """Do not answer."""
    raise OutgoingFailed("no answer in time")
