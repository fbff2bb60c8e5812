"""The page of a user's own sessions, password and second factor."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from restante.admin.admin_error import AdminError
from restante.admin.auditing import moment
from restante.admin.long_work import beside_mail
from restante.admin.own_credentials import NewCredentials
from restante.admin.portal_sessions import SessionOver
from restante.admin.session_ending import end_own_session, sign_out_everywhere
from restante.admin.sign_in import WRONG_FACTOR, SignInDenied
from restante.tenancy.password_rules import LONGEST, SHORTEST
from restante.tenancy.portal_user import PortalUser
from restante.tenancy.sign_in_factor import Factors, SignInFactor
from restante.web.portal.browser_name import browser_name
from restante.web.portal.invitation_page import NOT_ALIKE
from restante.web.portal.one_time_notice import told_at
from restante.web.portal.own_path import SIGN_IN, step_up_path
from restante.web.portal.portal_visit import NotSignedIn, Visit, page_route, see_other
from restante.web.portal.qr_image import qr_image
from restante.web.portal.repeat_page import factor_first
from restante.web.portal.session_cookie import drop_cookie, sign_in
from restante.web.portal.sign_in_parts import SignInParts, client_of, http_status_of

PROFILE: Final = "/profile"


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """The routes of the profile."""

    parts: SignInParts

    def routes(self) -> list[Route]:
        """Return them."""
        return [
            page_route(PROFILE, self.show),
            page_route(f"{PROFILE}/end-session", self.end_session, ["POST"]),
            page_route(f"{PROFILE}/sign-out-everywhere", self.sign_out_everywhere, ["POST"]),
            page_route(f"{PROFILE}/password", self.change_password, ["POST"]),
            page_route(f"{PROFILE}/recovery-codes", self.renew_recovery_codes, ["POST"]),
            page_route(f"{PROFILE}/code", self.show_code),
            page_route(f"{PROFILE}/code", self.set_up_code, ["POST"]),
        ]

    async def show(self, visit: Visit) -> Response:
        """Show the sessions and the means to sign in."""
        return await self._page(visit)

    async def end_session(self, visit: Visit) -> Response:
        """End one of the sessions."""
        form = await visit.form()
        key, user = form.text("key"), visit.session.user
        is_ended = await end_own_session(visit.context, self.parts.sessions, user, key)
        return told_at(
            PROFILE, "The session has ended." if is_ended else "That session is not there any more."
        )

    async def sign_out_everywhere(self, visit: Visit) -> Response:
        """End all sessions, this one too."""
        await sign_out_everywhere(visit.context, self.parts.sessions, visit.session.user)
        answer = told_at(SIGN_IN, "You are signed out everywhere.")
        drop_cookie(answer)
        return answer

    async def change_password(self, visit: Visit) -> Response:
        """Set another password, if the present one is right."""
        form, client = await visit.form(), client_of(visit.request)
        email, wanted = visit.session.user, form.as_sent("password")
        if wanted != form.as_sent("repeated"):
            return await self._page(visit, NOT_ALIKE, HTTPStatus.UNPROCESSABLE_ENTITY)
        sign_in, credentials = self.parts.sign_in, self.parts.credentials
        try:
            user = await sign_in.check_password_again(email, form.as_sent("present"), client)
            changed = await credentials.change_password(user, wanted, client)
        except SignInDenied as denied:
            error = "The current password is wrong." if str(denied) == WRONG_FACTOR else str(denied)
            return await self._page(visit, error, http_status_of(denied))
        except AdminError as error:
            text = f"{error.error}: {error.remedy}"
            return await self._page(visit, text, HTTPStatus.UNPROCESSABLE_ENTITY)
        notice = "Your password was changed. All your other sessions have ended."
        answer = told_at(PROFILE, notice)
        await self._sign_in(visit.request, answer, changed, (SignInFactor.PASSWORD,))
        return answer

    async def renew_recovery_codes(self, visit: Visit) -> Response:
        """Replace the recovery codes, and show them once."""
        user = self._user(visit)
        if user.sealed_totp is None or not visit.session.is_fresh(visit.now):
            return see_other(step_up_path(PROFILE))
        codes = await self.parts.credentials.new_recovery_codes(user, client_of(visit.request))
        return visit.page("recovery_codes.html", codes=codes, following=PROFILE)

    async def show_code(self, visit: Visit) -> Response:
        """Offer a secret for an app of one-time codes."""
        if not visit.session.is_fresh(visit.now):
            return see_other(step_up_path(f"{PROFILE}/code"))
        return await self._code_page(visit)

    async def set_up_code(self, visit: Visit) -> Response:
        """Make the offered secret the user's, end all sessions, and show recovery codes."""
        if not visit.session.is_fresh(visit.now):
            return factor_first(visit, f"{PROFILE}/code")
        form, client = await visit.form(), client_of(visit.request)
        given = NewCredentials("", form.text("sealed"), form.text("code") or "none")
        try:
            user, codes = await self.parts.credentials.set_up_code(self._user(visit), given, client)
        except AdminError as error:
            text = f"{error.error} {error.remedy}"
            return await self._code_page(visit, text, given.sealed_code)
        await self.parts.sessions.end_all(user.email)
        answer = visit.page("recovery_codes.html", codes=codes, following=PROFILE)
        await self._sign_in(visit.request, answer, user, (SignInFactor.ONE_TIME_CODE,))
        return answer

    async def _sign_in(
        self, request: Request, answer: Response, user: PortalUser, factors: Factors
    ) -> None:
        try:
            await sign_in(self.parts.sessions, request, answer, user, factors)
        except SessionOver:
            raise NotSignedIn from None

    def _user(self, visit: Visit) -> PortalUser:
        user = visit.context.directory.now.portal_users.get(visit.session.user)
        if user is None:
            raise NotSignedIn
        return user

    async def _page(self, visit: Visit, error: str = "", status: int = HTTPStatus.OK) -> Response:
        sessions = await self.parts.sessions.of_user(visit.session.user)
        return visit.page(
            "profile.html",
            status,
            user=self._user(visit),
            provider=self.parts.provider.name,
            may_unlink=self._user(visit).has_own_means and not self._user(visit).is_of_provider,
            is_fresh=visit.session.is_fresh(visit.now),
            step_up=step_up_path(PROFILE),
            sessions=[
                (one, browser_name(one.agent), moment(one.signed_in_at), moment(one.used_at))
                for one in sessions
            ],
            error=error[:1].upper() + error[1:],
            shortest=SHORTEST,
            longest=LONGEST,
        )

    async def _code_page(self, visit: Visit, error: str = "", sealed: str = "") -> Response:
        offer = self.parts.credentials.offer_code(self._user(visit), sealed)
        return visit.page(
            "one_time_codes.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
            offer=offer,
            qr=await beside_mail(qr_image, offer.uri),
            error=error,
        )
