"""The page behind a one-time link. A GET changes nothing: its form is sent by a script, or by hand.

The script waits for a click if somebody is signed in already: nobody becomes another unawares.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from restante.admin.portal_links import PORTAL_LINK_PATH, PortalLinks
from restante.admin.portal_sessions import SessionOver
from restante.admin.sign_in import SignInDenied
from restante.tenancy.sign_in_factor import SignInFactor
from restante.web.portal.form_guard import StrangerRoute
from restante.web.portal.own_path import HOME
from restante.web.portal.portal_visit import see_other
from restante.web.portal.session_cookie import CookieSessions, sign_in
from restante.web.portal.sign_in_parts import SignInParts, client_of, renderer_of

OVER: Final = "This link was used, or its 30 seconds are over."
_PATH: Final = PORTAL_LINK_PATH + "{secret}"


@dataclass(frozen=True, slots=True)
class PortalLinkPage:
    """The routes of one-time links."""

    parts: SignInParts

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            StrangerRoute(_PATH, self.show, methods=["GET"]),
            StrangerRoute(_PATH, self.open, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the form."""
        user = await PortalLinks(self.parts.context).user_of(request.path_params["secret"])
        if user is None:
            return _over(request)
        session = await CookieSessions(self.parts.sessions).session_of(request)
        present = "" if session is None else session.user
        return renderer_of(request).page(
            request, "portal_link.html", None, user=user, present=present
        )

    async def open(self, request: Request) -> Response:
        """Sign the browser in. Critical actions still ask for a factor."""
        user = await PortalLinks(self.parts.context).take(request.path_params["secret"])
        if user is None:
            return _over(request)
        answer = see_other(HOME)
        try:
            done = await self.parts.sign_in.sign_in_otherwise(
                user, (SignInFactor.LINK,), client_of(request)
            )
            await sign_in(
                self.parts.sessions, request, answer, done.user, done.factors, proved_at=0.0
            )
        except (SignInDenied, SessionOver):  # the user was changed at this moment
            return _over(request)
        return answer


def _over(request: Request) -> Response:
    remedy = "Go back to the page that you came from, and follow its link again."
    return renderer_of(request).page(
        request,
        "error.html",
        None,
        HTTPStatus.NOT_FOUND,
        title="Link",
        error=OVER,
        remedy=remedy,
    )
