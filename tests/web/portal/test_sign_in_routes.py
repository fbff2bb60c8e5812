"""The routes of the sign-in are part of the portal, behind its guard and its headers."""

import asyncio
import re

import pytest
from starlette.routing import Route

from restante.web.portal.form_guard import SAFE, QuestionRoute, StrangerRoute
from restante.web.portal.portal_application import POLICY
from restante.web.portal.sign_in_parts import SignInParts
from restante.web.portal.sign_in_routes import sign_in_routes
from tests.admin.portal_people import People
from tests.web.portal.browsers import Browser, hidden_fields


def routes() -> list[Route]:
    people = People()
    return sign_in_routes(
        SignInParts(
            people.context,
            people.sign_in_service,
            people.credentials,
            people.sessions,
            people.passkeys,
            people.provider,
        )
    )


def test_strangers_have_the_sign_in_and_invitations_alone() -> None:
    found = {one.path for one in routes() if isinstance(one, StrangerRoute)}
    assert found == {
        "/sign-in",
        "/sign-in/keep",
        "/portal-link/{secret}",
        "/sign-in/passkey",
        "/sign-in/provider",
        "/sign-in/provider/back",
        "/sign-in/passkey/options",
        "/invitation/{secret}",
    }


@pytest.mark.parametrize("path", ["/sign-in", "/invitation/x", "/step-up", "/profile"])
def test_no_page_is_kept_or_framed(path: str) -> None:
    answer = asyncio.run(Browser(People()).get(path))
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == POLICY
    assert "frame-ancestors 'none'" in POLICY
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, one.path) for one in routes() for method in one.methods or () if method not in SAFE],
    ids=lambda text: text,
)
def test_every_form_of_the_sign_in_is_guarded(method: str, path: str) -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        browser = Browser(people)
        await browser.sign_in(code=people.code())
        filled = path.replace("{secret}", "x")
        strange = await browser._client.request(method, filled)
        assert strange.status_code == 403
        without_token = StrangerRoute | QuestionRoute  # they change nothing of a session
        if path not in {one.path for one in routes() if isinstance(one, without_token)}:
            answer = await browser.send(filled, csrf="wrong")
            again = (f"/repeat?to={filled}", "/step-up/keep?again=1")  # only shown again
            is_shown = answer.headers.get("location") in again
            assert (answer.status_code, is_shown) in ((403, False), (307, True))
        assert await browser.is_signed_in()

    asyncio.run(story())


def test_no_url_carries_a_session() -> None:
    """URLs end in logs and histories."""

    async def story() -> None:
        people = People()
        await people.set_up()
        browser = Browser(people)
        await browser.sign_in(code=people.code())
        secret = browser.cookie
        page = await browser.get("/profile")
        assert secret not in page.text
        token = hidden_fields(page.text)["csrf"]
        links = re.findall(r'(?:href|action|src)="([^"]*)"', page.text)
        assert not [one for one in links if token in one]
        browser.plant("")
        for name in ("session", "__Host-restante", "csrf", "token"):
            answer = await browser.get(f"/profile?{name}={secret}")
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/sign-in")

    asyncio.run(story())
