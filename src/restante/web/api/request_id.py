"""An id for each request, in the header X-Request-Id of its answer.

A client's own id is repeated if it is a short plain word. Otherwise one is made.
"""

import re
import secrets
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ID_HEADER: Final = "X-Request-Id"
_SANE: Final = re.compile(rb"[A-Za-z0-9._:+/=@-]{1,128}\Z")
_OCTETS: Final = 12  # of an id that is made
_KEY: Final = "request_id"  # in the state of the request


class RequestIds:
    """Middleware that gives each answer the id of its request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = dict(scope["headers"]).get(ID_HEADER.lower().encode(), b"")
        given = id_of(scope) or request_id(asked)  # one that stands outside may have given it
        scope.setdefault("state", {})[_KEY] = given

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[ID_HEADER] = given
            await send(message)

        await self._app(scope, receive, send_with_id)


def request_id(given: bytes) -> str:
    """Return the id that a client gave, or a new one if that is empty or odd."""
    return given.decode() if _SANE.match(given) else secrets.token_hex(_OCTETS)


def id_of(scope: MutableMapping[str, Any]) -> str:
    """Return the id of a request, "" if it has none yet."""
    return str(scope.get("state", {}).get(_KEY, ""))
