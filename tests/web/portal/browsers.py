"""Browsers of people who sign in to the portal: each has its cookies, and follows no answer."""

import re
from typing import Any, Final

import httpx
from starlette.types import ASGIApp

from restante.web.portal.portal_application import build_portal
from restante.web.portal.session_cookie import COOKIE, CookieSessions
from restante.web.portal.sign_in_parts import SignInParts
from restante.web.portal.sign_in_routes import sign_in_routes
from tests.admin.portal_people import HOME, PASSWORD, ROOT, People

ADDRESS: Final = "https://r.example"


def portal_of(people: People) -> ASGIApp:
    """Return the whole portal, with its sign-in."""
    parts = SignInParts(
        people.context,
        people.sign_in_service,
        people.credentials,
        people.sessions,
        people.passkeys,
        people.provider,
    )
    routes = sign_in_routes(parts)
    return build_portal(people.context, CookieSessions(people.sessions), more_routes=routes)


class Browser:
    """One browser. `portal` is shared by several."""

    def __init__(self, people: People, portal: ASGIApp | None = None, address: Any = HOME) -> None:
        self.people = people
        transport = httpx.ASGITransport(
            portal or portal_of(people), raise_app_exceptions=False, client=(str(address), 4711)
        )
        self._client = httpx.AsyncClient(transport=transport, base_url=ADDRESS)

    @property
    def cookie(self) -> str:
        """The secret of the session, "" without one."""
        return self._client.cookies.get(COOKIE) or ""

    def plant(self, secret: str) -> None:
        """Put a cookie there as a neighbor might."""
        self._client.cookies.clear()
        if secret:
            self._client.cookies.set(COOKIE, secret, domain="r.example", path="/")

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Load a page."""
        return await self._client.get(path, headers=headers)

    async def send(
        self, path: str, page: httpx.Response | None = None, /, **form: str
    ) -> httpx.Response:
        """Send a form, with the hidden fields of the page that it is on."""
        hidden = hidden_fields(page.text) if page is not None else {}
        headers = {"Sec-Fetch-Site": "same-origin"}
        return await self._client.post(path, data={**hidden, **form}, headers=headers)

    async def act(self, path: str, **form: str) -> httpx.Response:
        """Send a form of a page of somebody who is signed in."""
        page = await self.get("/profile")
        token = hidden_fields(page.text).get("csrf", "none")
        return await self.send(path, None, csrf=token, **form)

    async def sign_in(
        self, email: str = ROOT, password: str = PASSWORD, code: str = "", following: str = "/"
    ) -> httpx.Response:
        """Sign in."""
        form = {"email": email, "password": password, "code": code, "next": following}
        return await self.send("/sign-in", None, **form)

    async def is_signed_in(self) -> bool:
        """Return whether the overview opens."""
        answer = await self.get("/")
        assert answer.status_code in (200, 303)
        return answer.status_code == 200


def hidden_fields(text: str) -> dict[str, str]:
    """Return the hidden fields of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text)
    return dict(found)
