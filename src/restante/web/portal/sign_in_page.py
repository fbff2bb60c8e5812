"""The sign-in and the sign-out.

Other ways to sign in add a route of their own, and a section to sign_in.html. All of them end in
`session_cookie.sign_in`.
"""

from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from restante.admin.portal_sessions import SessionOver
from restante.admin.session_ending import sign_out
from restante.admin.sign_in import REFUSED, SignInCredentials, SignInDenied
from restante.web.portal.form_guard import StrangerRoute
from restante.web.portal.kept_form import KeptForm, brought_along, kept_form
from restante.web.portal.one_time_notice import told_at
from restante.web.portal.own_path import KEEP_STRANGERS, SIGN_IN, own_path
from restante.web.portal.portal_visit import FormValues, see_other, visit_of, waiting_in
from restante.web.portal.session_cookie import CookieSessions, drop_cookie, sign_in
from restante.web.portal.sign_in_parts import (
    SignInParts,
    client_of,
    form_of,
    http_status_of,
    renderer_of,
)
from restante.web.portal.step_up_page import answer_after


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The routes of the sign-in."""

    parts: SignInParts

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            StrangerRoute(SIGN_IN, self.show, methods=["GET"]),
            StrangerRoute(SIGN_IN, self.sign_in, methods=["POST"]),
            StrangerRoute(KEEP_STRANGERS, self.keep, methods=["POST"]),
            Route("/sign-out", self.sign_out, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the form; somebody who is signed in goes on."""
        query = FormValues(request.url.query)
        following = own_path(query.text("next"))
        if await CookieSessions(self.parts.sessions).session_of(request) is not None:
            return see_other(following)
        return sign_in_answer(self.parts, request, KeptForm(following))

    async def keep(self, request: Request) -> Response:
        """Show the form, and keep one that was sent after its session was over."""
        query, form = FormValues(request.url.query), await form_of(request)
        if question := query.text("question"):
            after = kept_form(waiting_in(form), query.text("next"), question)
        else:
            after = brought_along(form)
        if await CookieSessions(self.parts.sessions).session_of(request) is not None:
            return answer_after(after)
        return sign_in_answer(self.parts, request, after, HTTPStatus.UNAUTHORIZED)

    async def sign_in(self, request: Request) -> Response:
        """Examine a password and a code."""
        form = await form_of(request)
        after = brought_along(form)
        given = SignInCredentials(form.text("email"), form.as_sent("password"), form.text("code"))
        try:
            signed_in = await self.parts.sign_in.sign_in(given, client_of(request))
            answer = answer_after(after)
            await sign_in(self.parts.sessions, request, answer, signed_in.user, signed_in.factors)
        except SignInDenied as denied:
            facts = {"error": str(denied), "email": given.email}
            return sign_in_answer(self.parts, request, after, http_status_of(denied), **facts)
        except SessionOver:
            facts = {"error": REFUSED, "email": given.email}
            return sign_in_answer(self.parts, request, after, HTTPStatus.FORBIDDEN, **facts)
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        visit = await visit_of(request)
        user, key = visit.session.user, visit.session.key
        await sign_out(visit.context, self.parts.sessions, user, key)
        answer = told_at(SIGN_IN, "You are signed out.")
        drop_cookie(answer)
        return answer


def sign_in_answer(
    parts: SignInParts,
    request: Request,
    after: KeptForm,
    status: int = HTTPStatus.OK,
    **facts: str,
) -> Response:
    """Return the page, with an `error`, or an `email` to try again."""
    return renderer_of(request).page(
        request,
        "sign_in.html",
        None,
        status,
        following=after.following,
        after=after,
        has_passkeys=not parts.passkeys.obstacle,
        provider=parts.provider.name,
        **{"error": "", "email": "", **facts},
    )
