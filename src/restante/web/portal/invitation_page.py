"""The page behind the one-time link of an invitation: a password, and an app for one-time codes.

A GET changes nothing, so that a mail filter may open the link. The form brings the offered secret
of the codes back, sealed under the key file. The path has the secret of the link: it is not in the
log, and pages send no Referer.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from restante.admin.admin_error import AdminError
from restante.admin.long_work import beside_mail
from restante.admin.own_credentials import LINK_OVER, NewCredentials
from restante.admin.portal_sessions import SessionOver
from restante.admin.portal_users import INVITATION_PATH
from restante.admin.sign_in import SignInDenied
from restante.tenancy.password_rules import LONGEST, SHORTEST
from restante.tenancy.portal_user import PortalUser
from restante.web.portal.form_guard import StrangerRoute
from restante.web.portal.own_path import HOME
from restante.web.portal.portal_visit import see_other
from restante.web.portal.qr_image import qr_image
from restante.web.portal.session_cookie import sign_in
from restante.web.portal.sign_in_parts import (
    SignInParts,
    client_of,
    form_of,
    http_status_of,
    renderer_of,
)

NOT_ALIKE: Final = "The two passwords differ."
_PATH: Final = INVITATION_PATH + "{secret}"


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """The routes of invitations."""

    parts: SignInParts

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            StrangerRoute(_PATH, self.show, methods=["GET"]),
            StrangerRoute(_PATH, self.accept, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the form, with a new secret for the app."""
        user = self.parts.credentials.invited(request.path_params["secret"])
        if user is None:
            return _over(request, HTTPStatus.NOT_FOUND)
        return await self._form(request, user)

    async def accept(self, request: Request) -> Response:
        """Set up the user, sign the browser in, and show the recovery codes."""
        secret = request.path_params["secret"]
        user = self.parts.credentials.invited(secret)
        if user is None:
            return _over(request, HTTPStatus.NOT_FOUND)
        form = await form_of(request)
        password, sealed = form.as_sent("password"), form.text("sealed")
        if password != form.as_sent("repeated"):
            return await self._form(request, user, NOT_ALIKE, sealed)
        given = NewCredentials(password, sealed, form.text("code"))
        try:
            return await self._set_up(request, secret, given)
        except AdminError as error:
            return await self._form(request, user, f"{error.error}: {error.remedy}", sealed)
        except SignInDenied as denied:
            if str(denied) != LINK_OVER:
                return await self._form(request, user, str(denied), sealed, http_status_of(denied))
        except SessionOver:
            pass
        return _over(request, HTTPStatus.NOT_FOUND)

    async def _set_up(self, request: Request, secret: str, given: NewCredentials) -> Response:
        """Set up the user. Raises AdminError, SignInDenied, SessionOver, StoreError."""
        set_up = await self.parts.credentials.accept(secret, given, client_of(request))
        answer = see_other(HOME)
        if set_up.recovery_codes:
            answer = renderer_of(request).page(
                request, "recovery_codes.html", codes=set_up.recovery_codes, following=HOME
            )
        user, factors = set_up.signed_in.user, set_up.signed_in.factors
        await sign_in(self.parts.sessions, request, answer, user, factors)
        return answer

    async def _form(
        self,
        request: Request,
        user: PortalUser,
        error: str = "",
        sealed: str = "",
        status: int = HTTPStatus.OK,
    ) -> Response:
        if error and status == HTTPStatus.OK:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        offer = self.parts.credentials.offer_code(user, sealed)
        return renderer_of(request).page(
            request,
            "invitation.html",
            None,
            status,
            user=user,
            error=error[:1].upper() + error[1:],
            offer=offer,
            qr=await beside_mail(qr_image, offer.uri),
            shortest=SHORTEST,
            longest=LONGEST,
        )


def _over(request: Request, status: int) -> Response:
    remedy = "Ask the person who invited you for another link."
    return renderer_of(request).page(
        request, "error.html", None, status, title="Invitation", error=LINK_OVER, remedy=remedy
    )
