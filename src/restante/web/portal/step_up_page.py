"""The page that asks for a factor again before a critical action. The session gets another id."""

from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from restante.admin.portal_sessions import SessionOver
from restante.admin.sign_in import SignInDenied
from restante.web.portal.own_path import STEP_UP, own_path
from restante.web.portal.portal_visit import NotSignedIn, Visit, page_route, see_other, visit_of
from restante.web.portal.session_cookie import session_secret, set_cookie
from restante.web.portal.sign_in_parts import SignInParts, client_of, http_status_of


@dataclass(frozen=True, slots=True)
class StepUpPage:
    """The routes of the step-up."""

    parts: SignInParts

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            page_route(STEP_UP, self.show),
            Route(STEP_UP, self.confirm, methods=["POST"]),
        ]

    async def show(self, visit: Visit) -> Response:
        """Ask for a factor, unless one was shown just now."""
        following = own_path(visit.query.text("next"))
        if visit.session.is_fresh(visit.now):
            return see_other(following)
        return step_up_answer(self.parts, visit, following)

    async def confirm(self, request: Request) -> Response:
        """Examine it."""
        visit = await visit_of(request)
        form = await visit.form()
        following, email = own_path(form.text("next")), visit.session.user
        given = form.text("code") or form.as_sent("password")
        try:
            await self.parts.sign_in.confirm(email, given, client_of(request))
            secret = await self.parts.sessions.renew(session_secret(request))
        except SignInDenied as denied:
            return step_up_answer(self.parts, visit, following, http_status_of(denied), str(denied))
        except SessionOver:
            raise NotSignedIn from None
        answer = see_other(following)
        user = self.parts.context.directory.now.portal_users.get(email)
        if user is None:
            raise NotSignedIn
        set_cookie(answer, secret, user)
        return answer


def step_up_answer(
    parts: SignInParts, visit: Visit, following: str, status: int = HTTPStatus.OK, error: str = ""
) -> Response:
    """Return the page."""
    user = visit.context.directory.now.portal_users.get(visit.session.user)
    has_passkeys = user is not None and bool(user.passkeys) and not parts.passkeys.obstacle
    return visit.page(
        "step_up.html",
        status,
        following=following,
        error=error,
        has_code=user is not None and user.sealed_totp is not None,
        has_passkeys=has_passkeys,
        has_password=user is not None and bool(user.password_hash),
        provider=parts.provider.name if user is not None and parts.provider.knows(user) else "",
    )
