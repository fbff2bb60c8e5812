"""The guard in front of every route of the portal: nothing changes by a strange page (CSRF).

A request that is not GET or HEAD must come from a page of this portal. Browsers say so in
Sec-Fetch-Site, and older ones in Origin. A client that says neither is refused. If somebody is
signed in, it must also bring the token of the session. The token is in the field `csrf` of a form,
or in the header X-CSRF-Token. A `StrangerRoute`, such as the sign-in, has no session and so no
token. There the first check alone keeps a strange page from signing a browser in.

A `QuestionRoute` only shows a page. It needs a session, but no token: a step-up in another tab
changes the token. Such an old form of an action is not carried out, and is not lost. An
`AskedRoute` shows its question again, and any other `FormRoute` the form itself (`repeat_page`). If
the session is over, the form is kept while somebody signs in.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from restante.web.portal.own_path import HOME, keep_path, question_path, repeat_path
from restante.web.portal.portal_session import SessionReader
from restante.web.portal.portal_visit import (
    FormRoute,
    FormValues,
    NotSignedIn,
    PageHandler,
    asked_at,
    visit_of,
)

TOKEN_FIELD: Final = "csrf"  # noqa: S105  its name
TOKEN_HEADER: Final = "X-CSRF-Token"  # noqa: S105  its name
STRANGE: Final = "This did not come from an open page of this portal, so nothing was done."
SAFE: Final = frozenset({"GET", "HEAD"})
_FORM: Final = "application/x-www-form-urlencoded"


class StrangerRoute(Route):
    """A route for people without a session. It must not act by the rights of one."""


class QuestionRoute(Route):
    """A page that a form opens. It changes nothing."""

    def __init__(self, path: str, handler: PageHandler, methods: Sequence[str] = ("POST",)) -> None:
        super().__init__(path, _answer_of(handler), methods=list(methods))


class AskedRoute(Route):
    """An action, and the end of the path where its question is."""

    def __init__(self, path: str, handler: PageHandler, question: str) -> None:
        super().__init__(path, _answer_of(handler), methods=["POST"])
        self.question = question


def _answer_of(handler: PageHandler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await handler(await visit_of(request))

    return answer


def guarded(routes: Sequence[BaseRoute], sessions: SessionReader) -> list[BaseRoute]:
    """Return these routes with the guard in front of each."""
    found: list[BaseRoute] = []
    for route in routes:
        assert isinstance(route, Route), f"{route} cannot be guarded"
        behind = copy(route)
        behind.app = FormGuard(route.app, sessions, route)
        found.append(behind)
    return found


class FormGuard:
    """Stands before one route."""

    def __init__(self, app: ASGIApp, sessions: SessionReader, route: Route) -> None:
        self._app = app
        self._sessions = sessions
        self._needs_session = not isinstance(route, StrangerRoute)
        self._needs_token = not isinstance(route, QuestionRoute)
        self._route = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on. Raises HTTPException, NotSignedIn, StoreError."""
        if scope["method"] in SAFE:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        if not is_from_own_page(request.headers, request.url.scheme):
            raise HTTPException(HTTPStatus.FORBIDDEN, STRANGE)
        if not self._needs_session:
            await self._app(scope, receive, send)
            return
        session = await self._sessions.session_of(request)
        body = await request.body()
        token = token_of(request.headers, body)
        again = self._question(request) if token and TOKEN_HEADER not in request.headers else ""
        if session is None:
            if not again:
                raise NotSignedIn
            await asked_at(keep_path(again, HOME, is_stranger=True))(scope, receive, send)
            return
        is_right = hmac.compare_digest(token.encode("utf-8", "replace"), session.csrf.encode())
        if self._needs_token and not is_right:
            if not again:
                raise HTTPException(HTTPStatus.FORBIDDEN, STRANGE)
            await asked_at(again)(scope, receive, send)
            return
        await self._app(scope, _once_more(body, receive), send)

    def _question(self, request: Request) -> str:
        """Return where a form for this route is shown again, "" if nowhere."""
        path = request.url.path
        match self._route:
            case AskedRoute():
                return f"{path.rpartition('/')[0]}/{self._route.question}?again=1"
            case FormRoute():
                return repeat_path(path)
            case QuestionRoute():
                return question_path(path + (f"?{request.url.query}" if request.url.query else ""))
        return ""


def is_from_own_page(headers: Headers, scheme: str) -> bool:
    """Return whether a browser says that a page of this portal made the request.

    `scheme` is that of our listener. Before it may be a proxy that speaks TLS.
    """
    sites = headers.getlist("Sec-Fetch-Site")
    if sites:
        return sites == ["same-origin"]
    web_origins = headers.getlist("Origin")
    if len(web_origins) != 1:
        return False
    try:
        web_origin = urlsplit(web_origins[0])
    except ValueError:
        return False
    is_same_host = web_origin.netloc.lower() == headers.get("Host", "").lower() != ""
    return is_same_host and web_origin.scheme in ("https", scheme)


def token_of(headers: Mapping[str, str], body: bytes) -> str:
    """Return the token of a request, "" without one. Raises HTTPException for too many fields."""
    token = headers.get(TOKEN_HEADER)
    if token is not None:
        return token
    if headers.get("Content-Type", "").partition(";")[0].strip().lower() != _FORM:
        return ""
    return FormValues(body.decode("utf-8", "replace")).text(TOKEN_FIELD)


def _once_more(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body again, and then goes on."""
    is_given = False

    async def receive_again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again
