"""Middleware: each request acts for the principal of its token, or is refused before any route.

A token in a URL is refused, and the request does nothing: proxies and browsers keep URLs.
"""

import ipaddress
from collections.abc import Mapping, MutableMapping
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from restante.admin.admin_error import ErrorKind
from restante.admin.token_authentication import (
    HOW_TO_SEND,
    REVOKE_IT,
    NoValidToken,
)
from restante.network.addresses import peer_address
from restante.tenancy.api_token import token_inside
from restante.tenancy.model import IpAddress
from restante.tenancy.principal import Principal
from restante.web.api.problem_details import problem
from restante.web.api.remedy_words import in_words_of_api

CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}
IN_URL: Final = "request: has a token in its URL"
_KEY: Final = "principal"  # in the state of the request


class BearerGate(Protocol):
    """Authenticates requests (admin/token_authentication.py)."""

    def authenticate(self, headers: Mapping[str, str], address: IpAddress) -> Principal:
        """Return the principal of a request. Raises NoValidToken."""

    def refuse_url(self, token_id: str, address: IpAddress) -> None:
        """Log a request that had a token in its URL."""


class BearerTokens:
    """Stands before every route of an API that strangers can reach."""

    def __init__(self, app: ASGIApp, gate: BearerGate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its principal, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        found = identify(scope, self._gate, _address(scope))
        if isinstance(found, Response):
            await found(scope, receive, send)
            return
        authenticated(scope, found)
        await self._app(scope, receive, send)


def identify(scope: Scope, gate: BearerGate, address: IpAddress) -> Principal | Response:
    """Return the principal of a request from an address, or the answer that refuses it."""
    in_url = token_inside(url_text(scope))
    if in_url is not None:
        gate.refuse_url(in_url, address)
        return problem(HTTPStatus.BAD_REQUEST, ErrorKind.USAGE, IN_URL, REVOKE_IT)
    try:
        return gate.authenticate(Headers(scope=scope), address)
    except NoValidToken as error:
        status = HTTPStatus.TOO_MANY_REQUESTS if error.is_flood else HTTPStatus.UNAUTHORIZED
        kind = ErrorKind.TRY_LATER if error.is_flood else ErrorKind.NOT_ALLOWED
        return problem(status, kind, f"request: {error}", in_words_of_api(HOW_TO_SEND), CHALLENGE)


def authenticated(scope: MutableMapping[str, Any], principal: Principal) -> None:
    """Let a request act for a principal."""
    scope.setdefault("state", {})[_KEY] = principal


def principal_of(scope: MutableMapping[str, Any]) -> Principal | None:
    """Return the principal that a request was given; None without one."""
    found = scope.get("state", {}).get(_KEY)
    return found if isinstance(found, Principal) else None


def _address(scope: Scope) -> IpAddress:
    """Return the client's address: that of the connection, or as a trusted proxy told it."""
    host, _ = scope.get("client") or ("", 0)
    try:
        return peer_address(host)
    except ValueError:  # no socket of a network
        return ipaddress.IPv6Address(0)


def url_text(scope: Scope) -> str:
    """Return path and query as the client may have meant them."""
    octets = scope.get("raw_path") or scope["path"].encode()
    return unquote_to_bytes(octets + b"?" + scope.get("query_string", b"")).decode("latin-1")
