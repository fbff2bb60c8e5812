"""The client's side of ACME (RFC 8555): one order for one name, from the directory to the chain.

Requests go through `network/outgoing_http`, so TLS is verified, no redirect is followed, and
answers are bounded. The authority is the operator's choice. It names the URLs of its resources
itself; they must be of the same scheme. Each wait is bounded, and the caller bounds the whole.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from restante.acme.account_key import AccountKey
from restante.acme.challenge_answers import ChallengeAnswers
from restante.mail.foreign_json import read_foreign_json
from restante.network.outgoing_http import (
    OutgoingAnswer,
    OutgoingFailed,
    OutgoingHttp,
    OutgoingRequest,
)

MOST_OCTETS: Final = 256 * 1024  # of one answer
MOST_POLLS: Final = 30
POLL_SECONDS: Final = 2.0
_NONCE_TRIES: Final = 3
_BAD_NONCE: Final = "urn:ietf:params:acme:error:badNonce"
_ERROR: Final = "urn:ietf:params:acme:error:"
_HTTP_01: Final = "http-01"


class AcmeFailed(Exception):  # noqa: N818
    """There is no certificate. The text is the cause."""


@dataclass(frozen=True, slots=True)
class AcmeAccount:
    """The account at an authority, and the terms of service that its owner has accepted."""

    directory: str  # URL
    key: AccountKey
    contact: str = ""
    accepted_terms: str = ""  # URL


class AcmeClient:
    """Talks to one authority."""

    def __init__(
        self,
        http: OutgoingHttp,
        account: AcmeAccount,
        answers: ChallengeAnswers,
        pause: Callable[[float], Awaitable[None]],
    ) -> None:
        """`pause` waits for some seconds."""
        self._http = http
        self._account = account
        self._answers = answers
        self._pause = pause
        self._directory: Mapping[str, Any] = {}
        self._account_url = ""
        self._nonce = ""

    async def order(self, name: str, request: bytes) -> bytes:
        """Return a certificate with its chain, as PEM, for a request in DER. Raises AcmeFailed."""
        self._directory = _document(await self._fetch("GET", self._account.directory))
        await self._register()
        wanted = {"identifiers": [{"type": "dns", "value": name}]}
        answer = await self._post(self._url("newOrder"), wanted)
        order_url, order = self._located(answer), _document(answer)
        for url in _texts(order.get("authorizations")):
            await self._authorize(url)
        await self._post(_text(order, "finalize"), {"csr": _encoded(request)})
        done = await self._poll(order_url, "order", {"pending", "ready", "processing"})
        return (await self._post(_text(done, "certificate"), None)).body

    async def _register(self) -> None:
        """Find the account of our key, or make one (RFC 8555 §7.3)."""
        terms = self._terms()
        if terms and terms != self._account.accepted_terms:
            raise AcmeFailed(
                f"the authority's terms of service are {terms}, and accept_terms of [acme] is not"
            )
        wanted: dict[str, Any] = {"termsOfServiceAgreed": True} if terms else {}
        if self._account.contact:
            wanted["contact"] = [f"mailto:{self._account.contact}"]
        self._account_url = ""
        self._account_url = self._located(await self._post(self._url("newAccount"), wanted))

    def _terms(self) -> str:
        meta = self._directory.get("meta")
        terms = meta.get("termsOfService", "") if isinstance(meta, dict) else ""
        return terms if isinstance(terms, str) else ""

    async def _authorize(self, url: str) -> None:
        """Prove that the name leads here (RFC 8555 §7.5)."""
        authorization = _document(await self._post(url, None))
        status = authorization.get("status")
        if status == "valid":
            return
        if status != "pending":
            raise AcmeFailed(f"the authorization is {status}{_why(authorization)}")
        challenges = authorization.get("challenges")
        challenge = next(
            (
                one
                for one in (challenges if isinstance(challenges, list) else ())
                if isinstance(one, dict) and one.get("type") == _HTTP_01
            ),
            None,
        )
        if challenge is None:
            raise AcmeFailed("the authority offers no challenge of the type http-01")
        token = _text(challenge, "token")
        self._answers.expect(token, self._account.key.authorization(token))
        try:
            await self._post(_text(challenge, "url"), {})
            await self._poll(url, "authorization", {"pending", "processing"})
        finally:
            self._answers.forget(token)

    async def _poll(self, url: str, thing: str, waiting: set[str]) -> Mapping[str, Any]:
        """Return a resource once it is valid."""
        for _ in range(MOST_POLLS):
            found = _document(await self._post(url, None))
            status = found.get("status")
            if status == "valid":
                return found
            if status not in waiting:
                raise AcmeFailed(f"the {thing} is {status}{_why(found)}")
            await self._pause(POLL_SECONDS)
        raise AcmeFailed(f"the {thing} was not decided in time")

    def _url(self, resource: str) -> str:
        return _text(self._directory, resource)

    async def _post(self, url: str, payload: Mapping[str, Any] | None) -> OutgoingAnswer:
        """Send a signed request; None: only read (POST-as-GET, RFC 8555 §6.3)."""
        body = b"" if payload is None else json.dumps(payload).encode()
        for _ in range(_NONCE_TRIES):
            nonce = self._nonce or await self._new_nonce()
            self._nonce = ""
            signed = self._account.key.signed(url, nonce, body, self._account_url)
            answer = await self._fetch("POST", url, signed)
            if answer.status < HTTPStatus.BAD_REQUEST:
                return answer
            problem = _document(answer)
            if problem.get("type") != _BAD_NONCE:
                break
        raise AcmeFailed(_problem_text(answer.status, problem))

    async def _new_nonce(self) -> str:
        await self._fetch("HEAD", self._url("newNonce"))
        if not self._nonce:
            raise AcmeFailed("the authority gives no nonce")
        return self._nonce

    async def _fetch(self, method: str, url: str, body: bytes = b"") -> OutgoingAnswer:
        if urlsplit(url).scheme != urlsplit(self._account.directory).scheme:
            raise AcmeFailed("the authority names a URL of another scheme than its directory's")
        headers = {"content-type": "application/jose+json"} if body else {}
        request = OutgoingRequest(method, url, headers, body, most_octets=MOST_OCTETS)
        try:
            answer = await self._http.fetch(request)
        except OutgoingFailed as error:
            raise AcmeFailed(f"{urlsplit(url).hostname}: {error}") from None
        self._nonce = answer.headers.get("replay-nonce", self._nonce)
        return answer

    def _located(self, answer: OutgoingAnswer) -> str:
        location = answer.headers.get("location", "")
        if not location:
            raise AcmeFailed("the authority does not say where the resource is")
        return location


def _document(answer: OutgoingAnswer) -> Mapping[str, Any]:
    try:
        found = read_foreign_json(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise AcmeFailed(f"the authority answers {answer.status} without a JSON object")
    return found


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise AcmeFailed(f"an answer of the authority has no {name}")
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise AcmeFailed("an answer of the authority has no list of URLs")
    return value


def _why(document: Mapping[str, Any]) -> str:
    """Return the error in a resource, or in one of its challenges."""
    challenges = document.get("challenges")
    for one in (document, *(challenges if isinstance(challenges, list) else ())):
        error = one.get("error") if isinstance(one, dict) else None
        if isinstance(error, dict):
            return f": {error.get('detail') or error.get('type')}"
    return ""


def _problem_text(status: int, problem: Mapping[str, Any]) -> str:
    kind = str(problem.get("type", "")).removeprefix(_ERROR)
    return f"the authority answers {status} {kind}: {problem.get('detail', '')}".rstrip(": ")


def _encoded(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
