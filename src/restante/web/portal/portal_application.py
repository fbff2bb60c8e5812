"""The portal as an ASGI application: pages made by the server, which work without JavaScript.

Every page calls the functions of `admin` for the session's principal, and never a store. Rights are
decided there. A foreign name is answered as an unknown one. A GET changes nothing. `form_guard`
stands in front of every route.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.long_work import beside_mail
from restante.shielded_task import shielded
from restante.store.store_errors import StoreError
from restante.telemetry.events import InternalError, StoreFailed
from restante.telemetry.work_word import WorkWord
from restante.web.answer_headers import forbid_keeping
from restante.web.api.problem_details import problem_status
from restante.web.fresh_records import FreshRecords
from restante.web.portal import (
    access_page,
    audit_page,
    credential_forms,
    direction_page,
    domain_check_page,
    domain_dns_page,
    domain_drill_page,
    domain_page,
    login_page,
    message_page,
    notices_page,
    overview_page,
    policy_page,
    queue_page,
    recipients_page,
    refused_page,
    releases_page,
    repeat_page,
    search_page,
    setup_page,
    usage_page,
    users_page,
)
from restante.web.portal.form_guard import guarded
from restante.web.portal.own_path import sign_in_path
from restante.web.portal.page_renderer import PageRenderer
from restante.web.portal.people_words import in_words_for_people
from restante.web.portal.portal_look import PortalLook
from restante.web.portal.portal_session import SessionReader
from restante.web.portal.portal_visit import NotSignedIn, PortalParts, see_other
from restante.web.portal.static_files import STATIC_PATH, static_addresses, static_route

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PAGES: Final = (
    overview_page,
    domain_check_page,
    domain_dns_page,
    domain_drill_page,
    domain_page,
    direction_page,
    policy_page,
    setup_page,
    recipients_page,
    queue_page,
    message_page,
    refused_page,
    search_page,
    releases_page,
    repeat_page,
    audit_page,
    notices_page,
    access_page,
    credential_forms,
    login_page,
    usage_page,
    users_page,
)
_ODD_REQUESTS: Final = {
    HTTPStatus.METHOD_NOT_ALLOWED: "This address has no page of its own: a form leads to it.",
    HTTPStatus.BAD_REQUEST: "The form has more fields than this page takes.",
}
_TITLES: Final = {
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.FORBIDDEN: "Not allowed",
    HTTPStatus.UNAUTHORIZED: "Signed out",
}


def build_portal(
    context: AdminContext,
    sessions: SessionReader,
    look: PortalLook | None = None,
    more_routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """Return the portal's application. `more_routes` are pages of their own, such as the sign-in.

    Templates are compiled here: call it in a thread while the server runs (`PreparedPortal`).
    """
    look = look or PortalLook()
    routes: list[BaseRoute] = [static_route(look), *more_routes]
    for pages in _PAGES:
        routes += pages.ROUTES
    portal = Starlette(routes=guarded(routes, sessions))
    renderer = PageRenderer(
        context.now,
        context.network.hostname,
        look,
        context.settings.portal_url,
        static_addresses(look),
    )
    portal.state.portal = PortalParts(context, sessions, renderer)
    for kind, answer in (
        (AdminError, _answer_refusal),
        (StoreError, _answer_store_failure),
        (HTTPException, _answer_odd_request),
        (NotSignedIn, _answer_stranger),
        (Exception, _answer_bug),
    ):
        portal.add_exception_handler(kind, answer)
    portal.add_middleware(FreshRecords, directory=context.directory, files=STATIC_PATH)
    portal.add_middleware(SafeHeaders)
    return portal


class PreparedPortal:
    """The portal, made in a thread at the first request: the mail does not wait for it."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._making: asyncio.Task[ASGIApp] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._making is None:
            self._making = asyncio.create_task(beside_mail(self._make))
        portal = await shielded(self._making)
        await portal(scope, receive, send)


class SafeHeaders:
    """Adds the headers of every answer: browsers run no strange script, and keep no page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def send_complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                forbid_keeping(headers)
            await send(message)

        await self._app(scope, receive, send_complete)


async def _error_page(request: Request, status: int, error: str, remedy: str) -> Response:
    parts: PortalParts = request.app.state.portal
    if "HX-Request" in request.headers:  # a part of a page that is open
        return parts.renderer.page(request, "part_error.html", status=status, error=error)
    title = _TITLES.get(HTTPStatus(status), "This did not work")
    session = None
    with suppress(StoreError):  # the page says what failed, without the navigation then
        session = await parts.sessions.session_of(request)
    return parts.renderer.page(
        request,
        "error.html",
        session,
        status,
        title=title,
        error=error,
        remedy=remedy,
    )


async def _answer_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, AdminError)
    if error.kind is ErrorKind.NOT_FOUND:
        return await _not_found(request)
    text, remedy = in_words_for_people(error.error), in_words_for_people(error.remedy)
    return await _error_page(request, problem_status(error), text, remedy)


async def _not_found(request: Request) -> Response:
    """Return the one answer for unknown and foreign things."""
    remedy = "It may be gone, or the address may be wrong."
    return await _error_page(
        request, HTTPStatus.NOT_FOUND, "This does not exist, or you may not see it.", remedy
    )


async def _answer_store_failure(request: Request, error: Exception) -> Response:
    assert isinstance(error, StoreError)
    context: AdminContext = request.app.state.portal.context
    if context.parts.log:
        context.parts.log.publish(
            StoreFailed(error=error, doing=WorkWord.REQUEST, request=_name_of(request))
        )
    text = "The store cannot answer now."
    return await _error_page(
        request, HTTPStatus.SERVICE_UNAVAILABLE, text, "Try again in a moment."
    )


async def _answer_odd_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return await _not_found(request)
    text = _ODD_REQUESTS.get(HTTPStatus(error.status_code), error.detail)
    answer = await _error_page(request, error.status_code, text, "Go back, and try again.")
    answer.headers.update(error.headers or {})
    return answer


async def _answer_stranger(request: Request, _error: Exception) -> Response:
    is_page = request.method in ("GET", "HEAD") and "HX-Request" not in request.headers
    if is_page:
        query = f"?{request.url.query}" if request.url.query else ""
        return see_other(sign_in_path(f"{request.url.path}{query}"))
    text, remedy = "You are no longer signed in.", "Nothing was done. Sign in, and try again."
    return await _error_page(request, HTTPStatus.UNAUTHORIZED, text, remedy)


async def _answer_bug(request: Request, error: Exception) -> Response:
    context: AdminContext = request.app.state.portal.context
    if context.parts.log:
        context.parts.log.publish(
            InternalError(error=error, doing=WorkWord.REQUEST, request=_name_of(request))
        )
    text, remedy = "This is a defect in Restante. The log has it.", "Tell your operator the time."
    return await _error_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, text, remedy)


def _name_of(request: Request) -> str:
    """Return the name of a request for the log: its route, as the path of a link has a secret."""
    route = request.scope.get("route")
    return f"{request.method} {getattr(route, 'path', '(none)')}"
