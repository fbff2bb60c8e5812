"""The passkeys of a user, and the ways to sign in and to show a factor by one.

A browser gets its challenge as JSON, and sends the answer in a form. So every route has the same
guard as any form. The scripts are in static/passkeys.js; without them, the password works.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from restante.admin.admin_error import AdminError
from restante.admin.auditing import moment
from restante.admin.passkey_service import LONGEST_NAME
from restante.admin.portal_sessions import SessionOver
from restante.admin.sign_in import SignInDenied
from restante.tenancy.portal_user import PortalUser
from restante.web.portal.form_guard import AskedRoute, StrangerRoute
from restante.web.portal.kept_form import brought_along
from restante.web.portal.one_time_notice import told_at
from restante.web.portal.own_path import SIGN_IN, STEP_UP, step_up_path
from restante.web.portal.portal_visit import NotSignedIn, Visit, page_route, see_other
from restante.web.portal.session_cookie import session_secret, set_cookie, sign_in
from restante.web.portal.sign_in_page import sign_in_answer
from restante.web.portal.sign_in_parts import SignInParts, client_of, form_of, http_status_of
from restante.web.portal.step_up_page import answer_after, step_up_answer

PASSKEYS: Final = "/profile/passkeys"
NOTICES: Final = {
    "made": "The passkey was added. You can sign in with it.",
    "renamed": "The passkey was renamed.",
    "removed": "The passkey was removed. Delete it on your device too.",
}


@dataclass(frozen=True, slots=True)
class PasskeyPage:
    """The routes of passkeys."""

    parts: SignInParts

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            StrangerRoute(f"{SIGN_IN}/passkey/options", self.ask_stranger, methods=["POST"]),
            StrangerRoute(f"{SIGN_IN}/passkey", self.sign_in, methods=["POST"]),
            page_route(f"{STEP_UP}/passkey/options", self.ask_user, ["POST"]),
            AskedRoute(f"{STEP_UP}/passkey", self.confirm, "keep"),
            page_route(PASSKEYS, self.show),
            page_route(f"{PASSKEYS}/options", self.offer, ["POST"]),
            page_route(PASSKEYS, self.register, ["POST"]),
            page_route(f"{PASSKEYS}/rename", self.rename, ["POST"]),
            page_route(f"{PASSKEYS}/remove", self.remove, ["POST"]),
        ]

    async def ask_stranger(self, _request: Request) -> Response:
        """Return a challenge for a sign-in."""
        return _json(self.parts.passkeys.ask_stranger())

    async def sign_in(self, request: Request) -> Response:
        """Examine the answer, and sign the browser in."""
        form = await form_of(request)
        after = brought_along(form)
        try:
            signed_in = await self.parts.passkeys.sign_in(form.text("answer"), client_of(request))
            answer = answer_after(after)
            await sign_in(self.parts.sessions, request, answer, signed_in.user, signed_in.factors)
        except SignInDenied as denied:
            return sign_in_answer(
                self.parts, request, after, http_status_of(denied), error=str(denied)
            )
        except SessionOver:
            return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
        return answer

    async def ask_user(self, visit: Visit) -> Response:
        """Return a challenge for somebody who is signed in."""
        return _json(self.parts.passkeys.ask_user(self._user(visit), visit.session.key))

    async def confirm(self, visit: Visit) -> Response:
        """Examine the answer. The session gets another id."""
        request, form = visit.request, await visit.form()
        after, user = brought_along(form), self._user(visit)
        text, client = form.text("answer"), client_of(request)
        try:
            await self.parts.passkeys.confirm(user.email, visit.session.key, text, client)
            secret = await self.parts.sessions.renew(session_secret(request))
        except SignInDenied as denied:
            return step_up_answer(self.parts, visit, after, http_status_of(denied), str(denied))
        except SessionOver:
            raise NotSignedIn from None
        answer = answer_after(after)
        set_cookie(answer, secret, user)
        return answer

    async def show(self, visit: Visit) -> Response:
        """Show the passkeys of the user."""
        return self._page(visit)

    async def offer(self, visit: Visit) -> Response:
        """Return a challenge for a new passkey."""
        if not visit.session.is_fresh(visit.now):
            return Response(status_code=HTTPStatus.FORBIDDEN)
        return _json(self.parts.passkeys.offer(self._user(visit), visit.session.key))

    async def register(self, visit: Visit) -> Response:
        """Record a new passkey."""
        form = await visit.form()
        if not visit.session.is_fresh(visit.now):
            return see_other(step_up_path(_path_with(form.text("name"))))
        return await self._done(
            visit,
            "made",
            self.parts.passkeys.register(
                self._user(visit),
                visit.session.key,
                form.text("answer"),
                form.text("name"),
                client_of(visit.request),
            ),
        )

    async def rename(self, visit: Visit) -> Response:
        """Give a passkey another name."""
        form, client = await visit.form(), client_of(visit.request)
        key, name = form.text("key"), form.text("name")
        return await self._done(
            visit, "renamed", self.parts.passkeys.rename(self._user(visit), key, name, client)
        )

    async def remove(self, visit: Visit) -> Response:
        """Remove a passkey."""
        if not visit.session.is_fresh(visit.now):
            return see_other(step_up_path(PASSKEYS))
        form, client = await visit.form(), client_of(visit.request)
        work = self.parts.passkeys.remove(self._user(visit), form.text("key"), client)
        return await self._done(visit, "removed", work)

    async def _done(self, visit: Visit, told: str, work: Any) -> Response:
        """Await a change; show its error beside the passkeys."""
        try:
            await work
        except AdminError as error:
            text = f"{error.error}: {error.remedy}"
            return self._page(visit, text, HTTPStatus.UNPROCESSABLE_ENTITY)
        return told_at(PASSKEYS, NOTICES[told])

    def _user(self, visit: Visit) -> PortalUser:
        user = visit.context.directory.now.portal_users.get(visit.session.user)
        if user is None:
            raise NotSignedIn
        return user

    def _page(self, visit: Visit, error: str = "", status: int = HTTPStatus.OK) -> Response:
        user, name = self._user(visit), visit.query.text("name")[:LONGEST_NAME]
        passkeys = [
            (one, moment(one.created_at), None if one.used_at is None else moment(one.used_at))
            for one in user.passkeys
        ]
        return visit.page(
            "passkeys.html",
            status,
            user=user,
            passkeys=passkeys,
            is_fresh=visit.session.is_fresh(visit.now),
            step_up=step_up_path(_path_with(name)),
            name=name,  # typed before a factor had to be shown again
            obstacle=self.parts.passkeys.obstacle,
            longest=LONGEST_NAME,
            error=error[:1].upper() + error[1:],
        )


def _path_with(name: str) -> str:
    """Return the path of the page with a name for a new passkey."""
    return f"{PASSKEYS}?{urlencode({'name': name[:LONGEST_NAME]})}" if name else PASSKEYS


def _json(options: Mapping[str, Any]) -> Response:
    return JSONResponse(options)
