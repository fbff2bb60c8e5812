"""The way to a provider and back, in a browser that keeps its cookies."""

import asyncio
import html
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from restante.tenancy.audit import AuditAction
from restante.tenancy.sign_in_factor import SignInFactor
from restante.web.portal.own_path import keep_path, repeat_path
from restante.web.portal.provider_page import STATE_COOKIE
from tests.admin.loopback_provider import ANA as CLAIMS
from tests.admin.loopback_provider import LoopbackProvider
from tests.admin.portal_people import ANA, People
from tests.web.portal.browsers import Browser, hidden_fields

BERT = "bert@alpha.example"
Story = Callable[[People, LoopbackProvider], Awaitable[None]]


def told(directory: Path, story: Story) -> None:
    async def whole() -> None:
        people = People()
        await people.admin.host("alpha.example", "alpha")
        async with LoopbackProvider(now=people.now).listening(directory) as provider:
            people.provider_settings = provider.settings()
            await story(people, provider)

    asyncio.run(whole())


async def back(browser: Browser, provider: LoopbackProvider, url: str, **more: str) -> Any:
    """Let the provider sign the person in, and load the page to which it sends the browser."""
    answer = {**provider.visit(url), **more}
    return await browser.get(f"/sign-in/provider/back?{urlencode(answer)}")


async def sign_in(browser: Browser, provider: LoopbackProvider) -> httpx.Response:
    sent = await browser.get("/sign-in/provider?next=/queue")
    assert sent.status_code == 303
    found: httpx.Response = await back(browser, provider, sent.headers["location"])
    return found


def test_a_person_goes_to_the_provider_and_comes_back(tmp_path: Path) -> None:
    async def story(people: People, provider: LoopbackProvider) -> None:
        browser = Browser(people)
        page = await browser.get("/sign-in?next=/queue")
        assert 'href="/sign-in/provider?next=%2Fqueue">Sign in with Loopback<' in page.text
        sent = await browser.get("/sign-in/provider?next=/queue")
        cookie = sent.headers["set-cookie"]
        for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
            assert part in cookie
        done = await back(browser, provider, sent.headers["location"])
        assert (done.status_code, done.headers["location"]) == (303, "/queue")
        assert await browser.is_signed_in()
        assert STATE_COOKIE not in browser._client.cookies
        [session] = await people.sessions.of_user(ANA)
        assert session.factors == (SignInFactor.PROVIDER,)

    told(tmp_path, story)


def test_a_browser_that_did_not_begin_is_not_signed_in(tmp_path: Path) -> None:
    async def story(people: People, provider: LoopbackProvider) -> None:
        attacker, victim = Browser(people), Browser(people)
        sent = await attacker.get("/sign-in/provider")
        answer = await back(victim, provider, sent.headers["location"])
        assert answer.status_code == 403
        assert not await victim.is_signed_in()
        assert people.reasons == ["provider: the state is unknown, was used, or is too old"]

    told(tmp_path, story)


def test_an_answer_is_good_once(tmp_path: Path) -> None:
    async def story(people: People, provider: LoopbackProvider) -> None:
        browser = Browser(people)
        sent = await browser.get("/sign-in/provider")
        url = sent.headers["location"]
        answer = provider.visit(url)
        path = f"/sign-in/provider/back?{urlencode(answer)}"
        assert (await browser.get(path)).status_code == 303
        state = answer["state"]
        browser._client.cookies.set(STATE_COOKIE, state, domain="r.example", path="/")
        assert (await browser.get(path)).status_code == 403
        assert await browser.is_signed_in()

    told(tmp_path, story)


def test_a_session_of_the_provider_is_fresh_only_by_a_time(tmp_path: Path) -> None:
    async def story(people: People, provider: LoopbackProvider) -> None:
        browser = Browser(people)
        await sign_in(browser, provider)
        answer = await browser.get("/profile/code")
        assert answer.headers["location"].startswith("/step-up")
        page = await browser.get("/step-up?next=/profile/code")
        assert 'href="/step-up/provider?next=%2Fprofile%2Fcode">Confirm with Loopback<' in page.text
        sent = await browser.get("/step-up/provider?next=/profile/code")
        assert "prompt=login" in sent.headers["location"]
        before = browser.cookie
        provider.claims = {**CLAIMS, "auth_time": int(people.now)}
        done = await back(browser, provider, sent.headers["location"])
        assert done.headers["location"] == "/profile/code"
        assert browser.cookie not in ("", before)
        assert (await browser.get("/profile/code")).status_code == 200

    told(tmp_path, story)


def test_a_form_waits_in_its_tab_while_the_provider_is_in_another(tmp_path: Path) -> None:
    async def story(people: People, provider: LoopbackProvider) -> None:
        browser = Browser(people)
        await sign_in(browser, provider)
        csrf = hidden_fields((await browser.get("/profile")).text)["csrf"]
        form = {"email": "zoe@alpha.example", "role": "account-reader", "reason": "a <b> & ß"}
        keep = keep_path(repeat_path("/users/invite"), "/users")
        waits = await browser.send(keep, None, csrf=csrf, **form)
        assert (
            'href="/step-up/provider?next=%2Fstep-up%2Fdone" target="_blank" data-elsewhere'
            in waits.text
        )
        fields = {name: html.unescape(one) for name, one in hidden_fields(waits.text).items()}
        early = await browser.send("/step-up/keep", None, **fields)
        assert "Confirm that it is you" in early.text
        sent = await browser.get("/step-up/provider?next=/step-up/done")
        provider.claims = {**CLAIMS, "auth_time": int(people.now)}
        done = await back(browser, provider, sent.headers["location"])
        assert (
            "go on in the one where you began" in (await browser.get(done.headers["location"])).text
        )
        on = await browser.send("/step-up/keep", None, **fields)
        assert (on.status_code, on.headers["location"]) == (307, "/repeat?to=/users/invite")
        shown = await browser.send(on.headers["location"], None, **fields)
        assert "a &lt;b&gt; &amp; ß" in shown.text

    told(tmp_path, story)


def test_somebody_else_at_the_provider_confirms_nothing(tmp_path: Path) -> None:
    async def story(people: People, provider: LoopbackProvider) -> None:
        browser = Browser(people)
        await sign_in(browser, provider)
        provider.claims = {**CLAIMS, "sub": "x", "email": "x@alpha.example"}
        provider.claims["auth_time"] = int(people.now)
        sent = await browser.get("/step-up/provider?next=/profile/code")
        assert (await back(browser, provider, sent.headers["location"])).status_code == 403
        assert (await browser.get("/profile/code")).status_code == 303

    told(tmp_path, story)


def test_an_error_of_the_provider_is_told_in_our_words(tmp_path: Path) -> None:
    async def story(people: People, provider: LoopbackProvider) -> None:
        browser = Browser(people)
        sent = await browser.get("/sign-in/provider")
        url = sent.headers["location"]
        answer = await back(browser, provider, url, error="<script>", error_description="evil")
        assert answer.status_code == 403
        assert "evil" not in answer.text
        assert "The provider did not sign you in." in answer.text

    told(tmp_path, story)


@pytest.mark.parametrize("path", ["/sign-in/provider", "/sign-in/provider/back?state=x&code=y"])
def test_without_a_provider_there_is_no_button(path: str) -> None:
    async def story() -> None:
        browser = Browser(People())
        assert "/sign-in/provider" not in (await browser.get("/sign-in")).text
        answer = await browser.get(path)
        assert answer.status_code == 403
        assert "The provider did not sign you in." in answer.text

    asyncio.run(story())


async def invited(people: People, provider: LoopbackProvider, email: str = BERT) -> Browser:
    """Return the browser of a user who was invited, and has just signed in."""
    await people.set_up(email, has_code=False)
    browser = Browser(people)
    await browser.sign_in(email)
    return browser


async def way_to_link(browser: Browser) -> str:
    """Return where the page leads on to."""
    page = await browser.act("/profile/provider")
    assert page.status_code == 200
    [url] = re.findall(r'href="(https://[^"]+)" rel="noreferrer"', page.text)
    return html.unescape(url)


def test_a_user_links_an_identity_signs_in_by_it_and_unlinks_it(tmp_path: Path) -> None:
    async def story(people: People, provider: LoopbackProvider) -> None:
        browser = await invited(people, provider)
        assert "Link Loopback" in (await browser.get("/profile")).text
        url = await way_to_link(browser)
        assert "prompt=login" in url  # nobody links the identity that a browser happens to have
        done = await back(browser, provider, url)
        assert (done.status_code, done.headers["location"]) == (303, "/profile")
        page = (await browser.get("/profile")).text
        assert "The provider is linked" in page
        assert "/profile/provider/unlink" in page
        user = people.user(BERT)
        assert user.oidc_subject == CLAIMS["sub"]
        other = Browser(people)
        await sign_in(other, provider)
        assert await other.is_signed_in()
        assert people.user(BERT).grants == user.grants  # its own, not those of the groups
        assert ANA not in people.context.directory.now.portal_users
        unlinked = await browser.act("/profile/provider/unlink")
        assert unlinked.headers["location"] == "/profile"
        assert people.user(BERT).oidc_subject == ""
        changes = [one.changes for one in await people.entries(AuditAction.USER_CHANGED)]
        assert [change.field for one in changes for change in one].count("oidc_subject") == 2

    told(tmp_path, story)


def test_a_link_needs_a_recent_factor_at_both_ends(tmp_path: Path) -> None:
    async def story(people: People, provider: LoopbackProvider) -> None:
        browser = await invited(people, provider)
        url = await way_to_link(browser)
        people.now += 400
        assert (await back(browser, provider, url)).status_code == 403
        assert people.user(BERT).oidc_subject == ""
        for path in ("/profile/provider", "/profile/provider/unlink"):
            sent = await browser.act(path)
            assert sent.headers["location"] == "/step-up?next=%2Fprofile"

    told(tmp_path, story)


def test_nobody_links_for_somebody_else(tmp_path: Path) -> None:
    async def story(people: People, provider: LoopbackProvider) -> None:
        browser = await invited(people, provider)
        url = await way_to_link(browser)
        stranger = Browser(people)
        assert (await back(stranger, provider, url)).status_code == 403
        await browser.act("/sign-out")
        assert (await back(browser, provider, url)).status_code == 403
        assert people.user(BERT).oidc_subject == ""
        assert "is not signed in" in people.reasons[-1]

    told(tmp_path, story)


def test_an_identity_of_another_user_is_not_linked(tmp_path: Path) -> None:
    async def story(people: People, provider: LoopbackProvider) -> None:
        await sign_in(Browser(people), provider)  # it is Ana's now
        browser = await invited(people, provider)
        answer = await back(browser, provider, await way_to_link(browser))
        assert answer.status_code == 403
        assert people.user(BERT).oidc_subject == ""
        assert await browser.is_signed_in()

    told(tmp_path, story)


def test_a_user_of_the_provider_alone_cannot_unlink_it(tmp_path: Path) -> None:
    async def story(people: People, provider: LoopbackProvider) -> None:
        browser = Browser(people)
        await sign_in(browser, provider)
        page = (await browser.get("/profile")).text
        assert "You can sign in through" in page
        assert "unlink" not in page
        answer = await browser.act("/profile/provider/unlink")
        assert answer.status_code in (303, 409)
        assert people.user(ANA).oidc_subject

    told(tmp_path, story)
