"""Requests to the portal without a socket, by users whose session is given."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.requests import Request

from restante.tenancy.grants import GrantedRole
from restante.tenancy.principal import Principal, Role
from restante.web.portal.one_time_notice import NOTICE_COOKIE
from restante.web.portal.portal_application import build_portal
from restante.web.portal.portal_look import PortalLook
from restante.web.portal.portal_session import PortalSession
from tests.actors import actor_named
from tests.admin.admin_world import NOW, AdminWorld

CSRF = "the-token-of-the-session"


def user_of(account: str, role: GrantedRole = GrantedRole.ACCOUNT_ADMIN) -> Principal:
    """Return the principal of a user of an account; "" is an operator."""
    kind = Role.ACCOUNT if account else Role.OPERATOR
    name = f"user anna ({account})" if account else "user anna"
    return Principal(
        kind, actor_named(name), "192.0.2.9", account, (frozenset({role}),), user="anna@x.example"
    )


ALPHA = user_of("alpha")
BETA = user_of("beta")
OPERATOR = user_of("", GrantedRole.OPERATOR)


@dataclass(frozen=True)
class GivenSession:
    """Every request has this session; None: nobody is signed in."""

    principal: Principal | None
    fresh_until: float = NOW + 300

    async def session_of(self, _request: Request) -> PortalSession | None:
        if self.principal is None:
            return None
        return PortalSession(self.principal, "anna@x.example", CSRF, self.fresh_until)


def visit(
    admin: AdminWorld,
    path: str,
    principal: Principal | None = ALPHA,
    *,
    form: Mapping[str, Any] | None = None,
    look: PortalLook | None = None,
    fresh_until: float = NOW + 300,
    notice: str = "",
) -> httpx.Response:
    """Return the answer to a GET, or to a form that is sent."""

    async def once() -> httpx.Response:
        sessions = GivenSession(principal, fresh_until)
        portal = build_portal(admin.context, sessions, look)
        transport = httpx.ASGITransport(portal, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://r.example") as client:
            if notice:
                client.cookies.set(NOTICE_COOKIE, notice)
            if form is None:
                return await client.get(path)
            headers = {"Sec-Fetch-Site": "same-origin"}
            return await client.post(path, data={"csrf": CSRF, **form}, headers=headers)

    return asyncio.run(once())


def after(admin: AdminWorld, answer: httpx.Response, principal: Principal = ALPHA) -> str:
    """Return the page that a browser loads after a form, with the notice of its answer."""
    notice = answer.cookies.get(NOTICE_COOKIE) or ""
    return visit(admin, answer.headers["location"], principal, notice=notice).text


def hosting(*names: str) -> AdminWorld:
    """Return an admin world with a domain of each account: alpha has alpha.example."""
    admin = AdminWorld()
    for name in names or ("alpha", "beta"):
        asyncio.run(admin.host(f"{name}.example", name))
    return admin
