"""The way to a provider of OpenID Connect, and back.

Links lead there, because the policy of the pages lets no form leave this portal. A cookie keeps the
state in the browser: nobody can send a browser back from a sign-in of their own.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from restante.admin.portal_sessions import SessionOver
from restante.admin.provider_sign_in import BACK_PATH, ReturnedPerson
from restante.admin.sign_in import SignInDenied
from restante.web.portal.form_guard import StrangerRoute
from restante.web.portal.kept_form import KeptForm
from restante.web.portal.one_time_notice import told_at
from restante.web.portal.own_path import HOME, SIGN_IN, STEP_UP, own_path, step_up_path
from restante.web.portal.portal_visit import FormValues, NotSignedIn, Visit, page_route, see_other
from restante.web.portal.profile_page import PROFILE
from restante.web.portal.session_cookie import CookieSessions, session_secret, set_cookie, sign_in
from restante.web.portal.sign_in_page import sign_in_answer
from restante.web.portal.sign_in_parts import SignInParts, client_of, http_status_of
from restante.web.portal.step_up_page import step_up_answer

STATE_COOKIE: Final = "__Host-restante-state"
_SECONDS: Final = 600
_FIELDS: Final = ("state", "code", "iss", "error")


LINKED: Final = f"{PROFILE}/provider"


@dataclass(frozen=True, slots=True)
class ProviderPage:
    """The routes of a provider."""

    parts: SignInParts

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            StrangerRoute(f"{SIGN_IN}/provider", self.begin, methods=["GET"]),
            StrangerRoute(BACK_PATH, self.finish, methods=["GET"]),
            page_route(f"{STEP_UP}/provider", self.begin_again),
            page_route(LINKED, self.begin_link, ["POST"]),
            page_route(f"{LINKED}/unlink", self.unlink, ["POST"]),
        ]

    async def begin(self, request: Request) -> Response:
        """Send a stranger's browser to the provider."""
        following = own_path(FormValues(request.url.query).text("next"))
        try:
            return await self._sent(request, following)
        except SignInDenied as denied:
            return self._refused(request, following, denied)

    async def begin_again(self, visit: Visit) -> Response:
        """Send somebody who is signed in to the provider, to show a factor again."""
        following = own_path(visit.query.text("next"))
        try:
            return await self._sent(visit.request, following, visit.session.user)
        except SignInDenied as denied:
            status, after = http_status_of(denied), KeptForm(following)
            return step_up_answer(self.parts, visit, after, status, str(denied))

    async def begin_link(self, visit: Visit) -> Response:
        """Show the way to the provider, for an identity that the user takes.

        It is a link: browsers let no form lead to another site (`form-action`). It is made only by
        a form of this portal, so that nobody is led to link a stranger's identity.
        """
        if not visit.session.is_fresh(visit.now):
            return see_other(step_up_path(PROFILE))
        client = client_of(visit.request)
        provider = self.parts.provider
        try:
            state, url = await provider.begin(HOME, client, visit.session.user, is_link=True)
        except SignInDenied as denied:
            return self._refused(visit.request, HOME, denied)
        answer = visit.page("provider_link.html", provider=provider.name, url=url, back=PROFILE)
        _put_state(answer, state, _SECONDS)
        return answer

    async def unlink(self, visit: Visit) -> Response:
        """Take the identity from the user."""
        if not visit.session.is_fresh(visit.now):
            return see_other(step_up_path(PROFILE))
        user = visit.context.directory.now.portal_users.get(visit.session.user)
        if user is None:
            raise NotSignedIn
        await self.parts.provider.unlink(user, client_of(visit.request))
        return told_at(PROFILE, "The provider is no longer linked.")

    async def finish(self, request: Request) -> Response:
        """Sign in the person who came back."""
        query = FormValues(request.url.query)
        answer = {name: query.text(name) for name in _FIELDS if query.all_of(name)}
        cookie = request.cookies.get(STATE_COOKIE, "")
        try:
            fresh = await self._fresh_user(request)
            returned = await self.parts.provider.finish(answer, cookie, client_of(request), fresh)
            if returned.is_link:
                done = told_at(PROFILE, "The provider is linked. You can sign in there too.")
            else:
                done = see_other(returned.following)
                await self._begin_session(request, done, returned)
        except SignInDenied as denied:
            done = self._refused(request, HOME, denied)
        except SessionOver:
            done = RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
        _put_state(done, "", 0)
        return done

    async def _fresh_user(self, request: Request) -> str:
        """Return who is signed in and showed a factor recently; "" for nobody."""
        session = await CookieSessions(self.parts.sessions).session_of(request)
        is_fresh = session is not None and session.is_fresh(self.parts.context.now())
        return session.user if session is not None and is_fresh else ""

    async def _sent(self, request: Request, following: str, email: str = "") -> Response:
        client = client_of(request)
        state, url = await self.parts.provider.begin(following, client, email)
        answer = RedirectResponse(url, HTTPStatus.SEE_OTHER)
        _put_state(answer, state, _SECONDS)
        return answer

    async def _begin_session(
        self, request: Request, answer: Response, returned: ReturnedPerson
    ) -> None:
        """Begin a session, or make the present one fresh. Raises SessionOver, StoreError."""
        sessions, user = self.parts.sessions, returned.signed_in.user
        if not returned.is_step_up:
            factors, proved_at = returned.signed_in.factors, returned.proved_at
            await sign_in(sessions, request, answer, user, factors, proved_at=proved_at)
            return
        session = await CookieSessions(sessions).session_of(request)
        if session is None or session.user != user.email:
            raise NotSignedIn
        set_cookie(answer, await sessions.renew(session_secret(request)), user)

    def _refused(self, request: Request, following: str, denied: SignInDenied) -> Response:
        status = http_status_of(denied)
        return sign_in_answer(self.parts, request, KeptForm(following), status, error=str(denied))


def _put_state(answer: Response, value: str, seconds: int) -> None:
    answer.set_cookie(
        STATE_COOKIE, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
    )
