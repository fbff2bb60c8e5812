"""The page that asks for a factor again before a critical action. The session gets another id."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from restante.admin.portal_sessions import SessionOver
from restante.admin.sign_in import SignInDenied
from restante.web.portal.form_guard import AskedRoute, QuestionRoute
from restante.web.portal.kept_form import KeptForm, brought_along, kept_form
from restante.web.portal.own_path import KEEP, STEP_UP, own_path
from restante.web.portal.portal_visit import (
    NotSignedIn,
    Visit,
    asked_at,
    page_route,
    see_other,
)
from restante.web.portal.session_cookie import session_secret, set_cookie
from restante.web.portal.sign_in_parts import SignInParts, client_of, http_status_of

DONE: Final = f"{STEP_UP}/done"


@dataclass(frozen=True, slots=True)
class StepUpPage:
    """The routes of the step-up."""

    parts: SignInParts

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            page_route(STEP_UP, self.show),
            page_route(DONE, self.done),
            QuestionRoute(KEEP, self.keep),
            AskedRoute(STEP_UP, self.confirm, KEEP.removeprefix("/")),
        ]

    async def show(self, visit: Visit) -> Response:
        """Ask for a factor, unless one was shown just now."""
        following = own_path(visit.query.text("next"))
        if visit.session.is_fresh(visit.now):
            return see_other(following)
        return step_up_answer(self.parts, visit, KeptForm(following))

    async def done(self, visit: Visit) -> Response:
        """Say that a factor was shown, where the form waits in another tab."""
        return visit.page("step_up_done.html")

    async def keep(self, visit: Visit) -> Response:
        """Ask for a factor, and keep the form that was sent meanwhile.

        The form that is on this page itself brings another one along.
        """
        query = visit.query
        if question := query.text("question"):
            after = kept_form(await visit.asked(), query.text("next"), question)
        else:
            after = brought_along(await visit.form())
        if visit.session.is_fresh(visit.now):
            return answer_after(after)
        return step_up_answer(self.parts, visit, after)

    async def confirm(self, visit: Visit) -> Response:
        """Examine it."""
        request, form = visit.request, await visit.form()
        after, email = brought_along(form), visit.session.user
        given = form.text("code") or form.as_sent("password")
        try:
            await self.parts.sign_in.confirm(email, given, client_of(request))
            secret = await self.parts.sessions.renew(session_secret(request))
        except SignInDenied as denied:
            return step_up_answer(self.parts, visit, after, http_status_of(denied), str(denied))
        except SessionOver:
            raise NotSignedIn from None
        answer = answer_after(after)
        user = self.parts.context.directory.now.portal_users.get(email)
        if user is None:
            raise NotSignedIn
        set_cookie(answer, secret, user)
        return answer


def step_up_answer(
    parts: SignInParts,
    visit: Visit,
    after: KeptForm,
    status: int = HTTPStatus.OK,
    error: str = "",
) -> Response:
    """Return the page."""
    user = visit.context.directory.now.portal_users.get(visit.session.user)
    has_passkeys = user is not None and bool(user.passkeys) and not parts.passkeys.obstacle
    return visit.page(
        "step_up.html",
        status,
        following=after.following,
        after=after,
        error=error,
        has_code=user is not None and user.sealed_totp is not None,
        has_passkeys=has_passkeys,
        has_password=user is not None and bool(user.password_hash),
        provider=parts.provider.name if user is not None and parts.provider.knows(user) else "",
    )


def answer_after(after: KeptForm) -> Response:
    """Return the answer after a sign-in or a factor: the question of the form, or another page."""
    return asked_at(after.question) if after.question else see_other(after.following)
