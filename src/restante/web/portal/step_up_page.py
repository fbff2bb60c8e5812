"""The page that asks for a factor again before a critical action. The session gets another id."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from restante.admin.portal_sessions import SessionOver
from restante.admin.sign_in import SignInDenied
from restante.web.portal.form_guard import TOKEN_FIELD, QuestionRoute
from restante.web.portal.own_path import KEEP, STEP_UP, own_path, question_path
from restante.web.portal.portal_visit import (
    FormValues,
    NotSignedIn,
    Visit,
    asked_at,
    page_route,
    see_other,
    visit_of,
)
from restante.web.portal.session_cookie import session_secret, set_cookie
from restante.web.portal.sign_in_parts import SignInParts, client_of, http_status_of

LONGEST_KEPT: Final = 40_000  # characters: the names of 1000 messages, in a body of 64 KiB


@dataclass(frozen=True, slots=True)
class AfterStepUp:
    """The page to go on to, and the form that its question gets back. It is never carried out."""

    following: str
    question: str = ""
    kept: str = ""

    def answer(self) -> Response:
        """Return the answer after the factor was shown."""
        return asked_at(self.question) if self.question else see_other(self.following)


def after_step_up(form: FormValues) -> AfterStepUp:
    """Return what a form of the step-up brings along."""
    following, kept = own_path(form.text("next")), form.as_sent("kept")
    question = question_path(form.text("question")) if len(kept) <= LONGEST_KEPT else ""
    return AfterStepUp(following, question, kept) if question else AfterStepUp(following)


@dataclass(frozen=True, slots=True)
class StepUpPage:
    """The routes of the step-up."""

    parts: SignInParts

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            page_route(STEP_UP, self.show),
            QuestionRoute(KEEP, self.keep),
            Route(STEP_UP, self.confirm, methods=["POST"]),
        ]

    async def show(self, visit: Visit) -> Response:
        """Ask for a factor, unless one was shown just now."""
        following = own_path(visit.query.text("next"))
        if visit.session.is_fresh(visit.now):
            return see_other(following)
        return step_up_answer(self.parts, visit, AfterStepUp(following))

    async def keep(self, visit: Visit) -> Response:
        """Ask for a factor, and keep the form that was sent meanwhile."""
        following = own_path(visit.query.text("next"))
        question = question_path(visit.query.text("question"))
        kept = (await visit.asked()).without(TOKEN_FIELD)
        after = AfterStepUp(following)
        if question and len(kept) <= LONGEST_KEPT:
            after = AfterStepUp(following, question, kept)
        if visit.session.is_fresh(visit.now):
            return after.answer()
        return step_up_answer(self.parts, visit, after)

    async def confirm(self, request: Request) -> Response:
        """Examine it."""
        visit = await visit_of(request)
        form = await visit.form()
        after, email = after_step_up(form), visit.session.user
        given = form.text("code") or form.as_sent("password")
        try:
            await self.parts.sign_in.confirm(email, given, client_of(request))
            secret = await self.parts.sessions.renew(session_secret(request))
        except SignInDenied as denied:
            return step_up_answer(self.parts, visit, after, http_status_of(denied), str(denied))
        except SessionOver:
            raise NotSignedIn from None
        answer = after.answer()
        user = self.parts.context.directory.now.portal_users.get(email)
        if user is None:
            raise NotSignedIn
        set_cookie(answer, secret, user)
        return answer


def step_up_answer(
    parts: SignInParts,
    visit: Visit,
    after: AfterStepUp,
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
