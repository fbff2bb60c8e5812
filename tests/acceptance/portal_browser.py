"""A browser for the portal of a running server: HTTP by httpx, and cookies as Chromium keeps them.

Chromium sends a cookie with Secure to 127.0.0.1 in plain HTTP too; the cookie jar of httpx does
not.
"""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from typing import Any, Final, Self

import httpx

COOKIE: Final = "__Host-restante"
OWN: Final = {"Sec-Fetch-Site": "same-origin"}


class PortalBrowser:
    """One browser. It follows no answer."""

    def __init__(self, web_origin: str) -> None:
        """`web_origin` is the beginning of the portal's address."""
        self.cookie = ""  # of the session
        self._others: dict[str, str] = {}  # cookies by name
        self._client = httpx.Client(base_url=web_origin, timeout=90)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str) -> httpx.Response:
        """Load a page."""
        return self._ask("GET", path, {})

    def send(self, path: str, page: httpx.Response | None = None, /, **form: str) -> httpx.Response:
        """Send a form, with the hidden fields of the page that it is on."""
        fields = hidden_fields(page.text) if page is not None else {}
        return self._ask("POST", path, {**fields, **form}, OWN)

    def challenge(self, path: str, page: str = "") -> Any:
        """Ask for a challenge of a passkey, as the script of a page does."""
        headers = dict(OWN)
        if page:
            headers["X-CSRF-Token"] = hidden_fields(self.get(page).text)["csrf"]
        return self._ask("POST", path, {}, headers).json()

    def forge(self, path: str, **form: str) -> httpx.Response:
        """Send a form as a page of another site does: with the cookie, and without a token."""
        return self._ask("POST", path, form, {"Sec-Fetch-Site": "cross-site"})

    def _ask(
        self, method: str, path: str, form: dict[str, str], headers: dict[str, str] | None = None
    ) -> httpx.Response:
        given = dict(headers or {})
        kept = {COOKIE: self.cookie, **self._others}
        if cookies := "; ".join(f"{name}={value}" for name, value in kept.items() if value):
            given["Cookie"] = cookies
        answer = self._client.request(method, path, data=form or None, headers=given)
        for line in answer.headers.get_list("set-cookie"):
            self._keep(SimpleCookie(line))
        return answer

    def _keep(self, cookies: SimpleCookie) -> None:
        for name, morsel in cookies.items():
            assert morsel["secure"]
            assert morsel["httponly"]
            value = "" if morsel["max-age"] == "0" else morsel.value
            if name == COOKIE:
                self.cookie = value
            else:
                self._others[name] = value


def hidden_fields(text: str) -> dict[str, str]:
    """Return the hidden fields of a page."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', text))


def key_on(text: str) -> str:
    """Return the key for an app of one-time codes that a page shows."""
    [shown] = re.findall(r"<code>((?:[A-Z2-7]{4} )+)</code>", text)
    return str(shown).replace(" ", "")


def recovery_codes_on(text: str) -> list[str]:
    """Return the recovery codes that a page shows."""
    return re.findall(r"<code>([a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4})</code>", text)
