"""The gate in front of API and portal on the `web` listeners: the principal, and the limits.

Each request passes these stages, in this order. The first that refuses answers.

1. Health pages are answered to anybody, but not with a token in the URL.
2. A listener without TLS that others than this machine can reach serves trusted proxies only.
3. A request to the API needs a principal, which `identify` finds by its token. No right is decided
   here: `admin/permissions` does that. The portal finds its own sessions, and has a sign-in for
   strangers. They have a limited number of requests (`request_limits/stranger_limits`).
   Where 2 or 3 refuses, the connection closes after the answer. Nothing behind it is read.
4. The body has a limit of octets by its route, and is read whole before any work begins.
5. A limited number of requests is at work at once, and a smaller one of each account and of the
   portal. The same holds for the bodies of 4, apart from it (`request_places`).
6. The request has a limit of time, its body included. A change that has begun is not cut off,
   because half of it would be done; the connection closes alone.

Imports, exports and events are exempt from 4 and 6 (`route_limits`); each piece of their body has
a time of its own (`serving`). Their places are apart from those of the others.
"""

import asyncio
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from restante.admin.admin_error import ErrorKind
from restante.network.addresses import address_block
from restante.request_limits.stranger_limits import StrangerLimits
from restante.tenancy.api_token import token_inside
from restante.tenancy.model import IpAddress, IpNetwork
from restante.tenancy.principal import Principal
from restante.web.answer_headers import complete
from restante.web.api.bearer_tokens import authenticated, url_text
from restante.web.api.problem_details import problem
from restante.web.api.request_id import RequestIds
from restante.web.client_address import client_address, is_trusted
from restante.web.head_requests import answer_head
from restante.web.request_counts import NO_ROUTE, RequestCounts, RequestRefusal
from restante.web.request_places import PORTAL, NoPlace, PlaceKind, RequestPlaces, place_owner
from restante.web.route_limits import body_limit, is_long
from restante.web.serving import PROVED_EXTENSION

REQUEST_SECONDS: Final = 30.0
_API_PATHS: Final = re.compile(r"/(v1|metrics)(/.*)?", re.DOTALL)
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

# Returns the principal of a request from an address, or the answer that refuses it.
Identify = Callable[[Scope, IpAddress], Principal | Response]


@dataclass(frozen=True, slots=True)
class GateParts:
    """The parts that the gates of all `web` listeners share. Belongs to the event loop."""

    api: ASGIApp
    identify: Identify
    is_ready: Callable[[], bool]
    defers_large_mail: Callable[[], bool]
    counts: RequestCounts
    monotonic: Callable[[], float]
    now: Callable[[], float]  # Unix time
    places: RequestPlaces = field(default_factory=RequestPlaces)
    strangers: StrangerLimits = field(default_factory=StrangerLimits)
    request_seconds: float = REQUEST_SECONDS
    portal: ASGIApp | None = None  # gets every path that is not the API's


@dataclass(frozen=True, slots=True)
class GateSettings:
    """The settings of one listener."""

    proxies: tuple[IpNetwork, ...] = ()
    is_tls: bool = False
    is_loopback: bool = True  # nobody else can reach the listener's address


@dataclass(frozen=True, slots=True)
class _Admitted:
    """A request that may go on: its application, whose places it takes, and its address."""

    application: ASGIApp
    whose: str
    client: IpAddress


class _BodyTooLarge(Exception):  # noqa: N818
    """The body exceeds its limit."""


class _ClientGone(Exception):  # noqa: N818
    """The client has closed before its body was complete."""


class WebGate:
    """An ASGI application in front of another."""

    def __init__(self, parts: GateParts, settings: GateSettings) -> None:
        self._parts = parts
        self._settings = settings
        self._inner = RequestIds(self._count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._inner(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Complete the answer's headers, and count it."""
        parts = self._parts
        began, status = parts.monotonic(), 0
        inner = dict(scope)  # of its own: the connection looks at the method, too
        if is_head := scope["method"] == "HEAD":
            inner["method"] = "GET"

        async def send_complete(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                complete(headers, parts.now(), is_tls=self._settings.is_tls)
            await send(message)

        parts.counts.running += 1
        try:
            if is_head:
                await answer_head(self._pass, inner, receive, send_complete)
            else:
                await self._pass(inner, receive, send_complete)
        finally:
            parts.counts.running -= 1
            if status:
                parts.counts.answered(_route_of(inner), status, parts.monotonic() - began)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = self._client_of(scope)
        # A token in a URL ends in logs of proxies, whatever the page: its owner is told.
        has_token_in_url = token_inside(url_text(scope)) is not None
        health = None if has_token_in_url else self._health(scope)
        if health is not None:
            await health(scope, receive, send)
            return
        is_of_api = has_token_in_url or _API_PATHS.fullmatch(scope["path"])
        portal = None if is_of_api else self._parts.portal
        principal: Principal | Response | None = self._turned_away(scope, client)
        if principal is None:
            principal = self._identified(scope, client) if portal is None else self._flooded(client)
        if isinstance(principal, Response):
            principal.headers["Connection"] = "close"  # a stranger pipelines nothing
            await principal(scope, receive, send)
            return
        _note_proof(scope, partial(self._parts.strangers.prove, address_block(client)))
        if portal is not None:
            scope["client"] = (str(client), scope["client"][1])  # as a trusted proxy told it
            admitted = _Admitted(portal, PORTAL, client)
        else:
            assert principal is not None
            authenticated(scope, principal)
            scope["extensions"][PROVED_EXTENSION]()
            admitted = _Admitted(self._parts.api, place_owner(principal), client)
        await self._admit(admitted, scope, receive, send)

    async def _admit(
        self, admitted: "_Admitted", scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass the request on when its body is there, unless too many are at work."""
        places, whose, client = self._parts.places, admitted.whose, admitted.client
        try:
            if is_long(scope["method"], scope["path"]):
                with places.place(PlaceKind.LONG, whose):
                    await admitted.application(scope, receive, send)
                return
            ends_at = asyncio.get_running_loop().time() + self._parts.request_seconds
            with places.place(PlaceKind.BODY, whose):
                async with asyncio.timeout_at(ends_at):
                    body = await _whole_body(scope, receive)
            with places.place(PlaceKind.WORK, whose):
                await self._work(admitted, scope, _replayed(body, receive), send, ends_at)
        except _ClientGone:
            pass
        except NoPlace:
            await self._refused(RequestRefusal.TOO_MANY, client)(scope, receive, send)
        except _BodyTooLarge:
            await self._refused(RequestRefusal.TOO_LARGE, client)(scope, receive, send)
        except TimeoutError:
            await self._refused(RequestRefusal.TOO_SLOW, client)(scope, receive, send)

    def _client_of(self, scope: Scope) -> IpAddress:
        peer = ipaddress.ip_address(scope["client"][0].partition("%")[0])
        forwarded = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        return client_address(peer, forwarded, self._settings.proxies)

    def _health(self, scope: Scope) -> Response | None:
        if scope["path"] not in ("/healthz", "/readyz"):
            return None
        if scope["method"] != "GET":
            return _problem(HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD"})
        if scope["path"] == "/healthz":
            return PlainTextResponse("alive\n")
        if self._parts.is_ready():
            is_in_part = self._parts.defers_large_mail()  # another server could do no better
            return PlainTextResponse("ready, without large mail\n" if is_in_part else "ready\n")
        return PlainTextResponse("not ready\n", HTTPStatus.SERVICE_UNAVAILABLE)

    def _turned_away(self, scope: Scope, client: IpAddress) -> Response | None:
        """Refuse to read credentials that crossed a network in clear text."""
        peer = ipaddress.ip_address(scope["client"][0].partition("%")[0])
        if (
            self._settings.is_tls
            or self._settings.is_loopback
            or peer.is_loopback
            or is_trusted(peer, self._settings.proxies)
        ):
            return None
        return self._refused(RequestRefusal.NO_PROXY, client)

    def _identified(self, scope: Scope, client: IpAddress) -> Principal | Response:
        found = self._parts.identify(scope, client)
        if isinstance(found, Response):
            self._parts.counts.refused(RequestRefusal.NO_CREDENTIALS, str(client))
            self._parts.strangers.allows(address_block(client), self._parts.monotonic())
        return found

    def _flooded(self, client: IpAddress) -> Response | None:
        """Refuse a request of a stranger to the portal where there were too many."""
        if self._parts.strangers.allows(address_block(client), self._parts.monotonic()):
            return None
        return self._refused(RequestRefusal.STRANGERS, client)

    async def _work(
        self, admitted: "_Admitted", scope: Scope, receive: Receive, send: Send, ends_at: float
    ) -> None:
        """Answer a request that has its place. An answer may begin until `ends_at`, by the loop."""
        is_started = False

        async def send_noted(message: Message) -> None:
            nonlocal is_started
            is_started = True
            await send(message)

        try:
            async with asyncio.timeout_at(ends_at if scope["method"] in _SAFE else None):
                await admitted.application(scope, receive, send_noted)
        except TimeoutError:
            # An answer that has begun stays incomplete, and uvicorn closes the connection.
            answer = self._refused(RequestRefusal.TOO_SLOW, admitted.client)
            if not is_started:
                await answer(scope, receive, send)

    def _refused(self, refusal: RequestRefusal, client: IpAddress) -> Response:
        self._parts.counts.refused(refusal, str(client))
        status, headers = _ANSWERS[refusal]
        return _problem(status, headers, refusal)


_ANSWERS: Final[Mapping[RequestRefusal, tuple[HTTPStatus, Mapping[str, str]]]] = {
    RequestRefusal.NO_PROXY: (HTTPStatus.FORBIDDEN, {}),
    RequestRefusal.TOO_MANY: (HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": "1"}),
    RequestRefusal.STRANGERS: (HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "10"}),
    RequestRefusal.TOO_LARGE: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {}),
    RequestRefusal.TOO_SLOW: (HTTPStatus.SERVICE_UNAVAILABLE, {}),
}
_WORDS: Final[Mapping[HTTPStatus, tuple[ErrorKind, str, str]]] = {
    HTTPStatus.FORBIDDEN: (
        ErrorKind.NOT_ALLOWED,
        "request: came in clear text, and not through a proxy of this server",
        "use the https address of this server",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: (ErrorKind.USAGE, "request: has another method", "use GET"),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        ErrorKind.TRY_LATER,
        "request: not possible now",
        "repeat it later",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        ErrorKind.TRY_LATER,
        "request: too many people who are not signed in ask at this moment",
        "repeat it in ten seconds",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        ErrorKind.INVALID,
        "body: is too large for this request",
        "send less in one request",
    ),
}
_TEXTS: Final[Mapping[RequestRefusal, tuple[str, str]]] = {
    RequestRefusal.TOO_MANY: ("request: too many requests at once", "repeat it in a moment"),
    RequestRefusal.TOO_SLOW: ("request: took too long", "ask for less, or repeat it later"),
}


def _problem(
    status: HTTPStatus, headers: Mapping[str, str], refusal: RequestRefusal | None = None
) -> Response:
    kind, detail, remedy = _WORDS[status]
    if refusal is not None:
        detail, remedy = _TEXTS.get(refusal, (detail, remedy))
    return problem(status, kind, detail, remedy, headers)


def _note_proof(scope: Scope, prove: Callable[[], None]) -> None:
    """Have `prove` called, too, once the request is known to have a principal."""
    extensions = scope.get("extensions", {})
    keep_connection = extensions.get(PROVED_EXTENSION, _nothing)

    def proved() -> None:
        keep_connection()
        prove()

    scope["extensions"] = {**extensions, PROVED_EXTENSION: proved}


def _nothing() -> None:
    """Do nothing: there is no connection to keep."""


async def _whole_body(scope: Scope, receive: Receive) -> bytes:
    """Read the body. Raises _BodyTooLarge, at once if the header announces it; _ClientGone."""
    length = Headers(scope=scope).get("content-length", "0")
    limit = body_limit(scope["path"])
    if int(length) > limit:
        raise _BodyTooLarge
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientGone
        body += message.get("body", b"")
        if len(body) > limit:
            raise _BodyTooLarge
        if not message.get("more_body"):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body, and then what comes after it."""
    waiting = [body]

    async def replay() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replay


def _route_of(scope: Mapping[str, Any]) -> str:
    """Return the template of the route that a request reached."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else NO_ROUTE
