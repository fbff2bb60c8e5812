"""The cookie that a browser gets, and the session that it stands for."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.responses import Response

from restante.admin.portal_sessions import PortalSessions
from restante.tenancy.portal_user import user_principal
from restante.tenancy.session_record import form_token
from restante.tenancy.sign_in_factor import SignInFactor
from restante.web.portal.session_cookie import (
    COOKIE,
    CookieSessions,
    drop_cookie,
    session_secret,
    sign_in,
)
from tests.admin.admin_world import NOW
from tests.admin.test_portal_sessions import ROOT, place_with_root

FACTORS = (SignInFactor.PASSWORD, SignInFactor.ONE_TIME_CODE)


def request_with(cookie: str = "", agent: str = "Browser/1.0") -> Request:
    headers = [(b"user-agent", agent.encode())]
    if cookie:
        headers.append((b"cookie", cookie.encode()))
    scope = {"type": "http", "method": "GET", "headers": headers, "client": ("192.0.2.9", 4711)}
    return Request(scope)


async def signed_in(sessions: PortalSessions, cookie: str = "") -> str:
    """Return the value of the cookie that a sign-in gives."""
    answer = Response()
    await sign_in(sessions, request_with(cookie), answer, ROOT, FACTORS)
    name, _, rest = answer.headers["set-cookie"].partition("=")
    assert name == COOKIE
    return rest.partition(";")[0]


def test_the_cookie_is_for_this_host_alone_and_not_for_scripts() -> None:
    async def story() -> str:
        place = await place_with_root()
        answer = Response()
        await sign_in(place.sessions, request_with(), answer, ROOT, FACTORS)
        return answer.headers["set-cookie"]

    text = asyncio.run(story())
    attributes = {one.strip() for one in text.split(";")[1:]}
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"} == attributes


def test_a_request_has_the_session_of_its_cookie() -> None:
    async def story() -> None:
        place = await place_with_root()
        secret = await signed_in(place.sessions)
        reader = CookieSessions(place.sessions)
        request = request_with(f"other=1; {COOKIE}={secret}")
        session = await reader.session_of(request)
        assert session is not None
        assert session.principal == user_principal(ROOT, "192.0.2.9")
        assert session.user == ROOT.email
        assert session.csrf == form_token(secret)
        assert session.fresh_until == place.now + 300
        assert await reader.session_of(request) is session

    asyncio.run(story())


def test_a_page_that_refreshes_itself_keeps_no_session_alive() -> None:
    async def story() -> None:
        place = await place_with_root()
        cookie = f"{COOKIE}={await signed_in(place.sessions)}"
        reader = CookieSessions(place.sessions)
        for _ in range(2):
            place.now += 1000
            request = request_with(cookie)
            request.scope["headers"].append((b"hx-request", b"true"))
            found = await reader.session_of(Request({**request.scope, "state": {}}))
            assert (found is not None) is (place.now < NOW + 1800)

    asyncio.run(story())


@pytest.mark.parametrize(
    "cookie",
    ["", COOKIE, f"{COOKIE}=", f"{COOKIE}=x", f"{COOKIE}=" + "A" * 43, f"{COOKIE}=" + "é" * 43],
    ids=range(6),
)
def test_other_cookies_are_nobodys(cookie: str) -> None:
    async def story() -> None:
        place = await place_with_root()
        await signed_in(place.sessions)
        assert await CookieSessions(place.sessions).session_of(request_with(cookie)) is None

    asyncio.run(story())


def test_a_cookie_that_was_planted_is_not_the_session_after_the_sign_in() -> None:
    async def story() -> None:
        place = await place_with_root()
        planted = await signed_in(place.sessions)
        fresh = await signed_in(place.sessions, f"{COOKIE}={planted}")
        assert fresh != planted
        reader = CookieSessions(place.sessions)
        assert await reader.session_of(request_with(f"{COOKIE}={planted}")) is None
        assert await reader.session_of(request_with(f"{COOKIE}={fresh}")) is not None

    asyncio.run(story())


def test_a_browser_forgets_the_cookie() -> None:
    answer = Response()
    drop_cookie(answer)
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert session_secret(request_with()) == ""
