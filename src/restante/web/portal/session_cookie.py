"""The cookie of a session, and the session of a request by it.

The prefix `__Host-` has browsers refuse the cookie from a plain connection, from another host and
for a part of the paths. They count 127.0.0.1 as secure.
"""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from restante.admin.portal_sessions import PortalSessions, SignInProof
from restante.tenancy.portal_user import PortalUser, user_principal
from restante.tenancy.session_record import form_token, limits_of
from restante.tenancy.sign_in_factor import Factors
from restante.web.portal.portal_session import PortalSession

COOKIE: Final = "__Host-restante"
_KEY: Final = "portal_session"  # in the state of a request, once it was looked for


@dataclass(frozen=True, slots=True)
class CookieSessions:
    """A `SessionReader`. A page that refreshes itself keeps no session alive."""

    sessions: PortalSessions

    async def session_of(self, request: Request) -> PortalSession | None:
        """Return the session of a request. Raises StoreError. Looks once for each request."""
        state = request.scope.setdefault("state", {})
        if _KEY not in state:
            state[_KEY] = await self._find(request)
        found: PortalSession | None = state[_KEY]
        return found

    async def _find(self, request: Request) -> PortalSession | None:
        secret = session_secret(request)
        is_use = "HX-Request" not in request.headers or request.method not in ("GET", "HEAD")
        found = await self.sessions.find(secret, is_use=is_use)
        if found is None:
            return None
        return PortalSession(
            principal=user_principal(found.user, address_of(request)),
            user=found.user.email,
            csrf=form_token(secret),
            fresh_until=found.fresh_until,
            key=found.record.key,
        )


async def sign_in(
    sessions: PortalSessions,
    request: Request,
    answer: Response,
    user: PortalUser,
    factors: Factors,
    *,
    proved_at: float | None = None,
) -> None:
    """Begin a session of a user who proved these factors in a request, with its answer.

    Every way to sign in ends here. The session that the browser had before ends, so that nobody can
    give it one beforehand. `user` is the record whose factors were proven. Raises SessionOver if
    the user was removed meanwhile, StoreError. `proved_at` is when a factor was shown, if that was
    elsewhere and not just now.
    """
    agent = request.headers.get("User-Agent", "")
    proof = SignInProof(factors, address_of(request), agent, proved_at)
    secret = await sessions.begin(user, proof, session_secret(request))
    set_cookie(answer, secret, user)


def set_cookie(answer: Response, secret: str, user: PortalUser) -> None:
    """Give the browser the secret of its session."""
    _put_cookie(answer, secret, int(limits_of(user).whole))


def drop_cookie(answer: Response) -> None:
    """Have the browser forget the secret."""
    _put_cookie(answer, "", 0)


def session_secret(request: Request) -> str:
    """Return the secret that the browser sent, "" without one."""
    return request.cookies.get(COOKIE, "")


def address_of(request: Request) -> str:
    """Return the address of the client, as the gate found it."""
    return request.client.host if request.client is not None else ""


def _put_cookie(answer: Response, value: str, seconds: int) -> None:
    answer.set_cookie(
        COOKIE, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
    )
