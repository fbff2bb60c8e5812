"""Passkeys in the portal: made after a factor was shown, used to sign in and to show a factor."""

import asyncio
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from restante.tenancy.sign_in_factor import SignInFactor
from tests.admin.portal_people import ANA, ROOT, People
from tests.tenancy.soft_authenticator import SoftAuthenticator
from tests.web.portal.browsers import ADDRESS, Browser, hidden_fields

SAME = {"Sec-Fetch-Site": "same-origin"}


async def options(browser: Browser, path: str, page: str = "") -> httpx.Response:
    """Ask for a challenge as the script does."""
    token = hidden_fields((await browser.get(page)).text)["csrf"] if page else ""
    headers = {**SAME, **({"X-CSRF-Token": token} if token else {})}
    return await browser._client.post(path, headers=headers)


async def with_passkey(people: People, email: str = ROOT) -> tuple[Browser, SoftAuthenticator]:
    """Return a browser of a user who has just made a passkey."""
    has_code = email == ROOT
    await people.set_up(email, has_code=has_code)
    browser, device = Browser(people), SoftAuthenticator(ADDRESS)
    await browser.sign_in(email, code=people.code() if has_code else "")
    made = await options(browser, "/profile/passkeys/options", "/profile/passkeys")
    text = device.create(made.json())
    answer = await browser.act("/profile/passkeys", answer=text, name="<phone>")
    assert answer.headers["location"] == "/profile/passkeys"
    return browser, device


async def sign_in(browser: Browser, device: SoftAuthenticator, **form: str) -> httpx.Response:
    device.counter += 1
    asked: Any = (await options(browser, "/sign-in/passkey/options")).json()
    return await browser.send("/sign-in/passkey", None, answer=device.get(asked), **form)


def test_a_passkey_signs_in_and_goes_on() -> None:
    async def story() -> None:
        people = People()
        _, device = await with_passkey(people)
        browser = Browser(people)
        answer = await sign_in(browser, device, next="/queue")
        assert (answer.status_code, answer.headers["location"]) == (303, "/queue")
        assert await browser.is_signed_in()
        factors = {one.factors for one in await people.sessions.of_user(ROOT)}
        assert factors == {
            (SignInFactor.PASSWORD, SignInFactor.ONE_TIME_CODE),
            (SignInFactor.PASSKEY,),
        }
        page = (await browser.get("/profile/passkeys")).text
        assert "&lt;phone&gt;" in page
        assert "<phone>" not in page

    asyncio.run(story())


def test_a_wrong_passkey_signs_nobody_in() -> None:
    async def story() -> None:
        people = People()
        _, device = await with_passkey(people)
        thief = SoftAuthenticator(ADDRESS, 9, credential_id=device.credential_id)
        thief.handle = device.handle
        browser = Browser(people)
        answer = await sign_in(browser, thief)
        assert answer.status_code == 403
        assert "This passkey was not accepted." in answer.text
        assert not await browser.is_signed_in()

    asyncio.run(story())


def test_a_strange_page_neither_asks_nor_signs_in() -> None:
    async def story() -> None:
        people = People()
        browser, _ = await with_passkey(people)
        for path in (
            "/sign-in/passkey/options",
            "/sign-in/passkey",
            "/step-up/passkey/options",
            "/step-up/passkey",
            "/profile/passkeys/options",
            "/profile/passkeys",
            "/profile/passkeys/rename",
            "/profile/passkeys/remove",
        ):
            strange = await browser._client.post(path, headers={"Sec-Fetch-Site": "cross-site"})
            assert strange.status_code == 403
            if not path.startswith("/sign-in"):
                assert (await browser._client.post(path, headers=SAME)).status_code == 403

    asyncio.run(story())


def test_a_passkey_makes_the_session_fresh() -> None:
    async def story() -> None:
        people = People()
        browser, device = await with_passkey(people)
        people.now += 360
        answer = await browser.act("/profile/passkeys", answer="{}", name='my "phone"')
        assert answer.headers["location"].startswith("/step-up?next=%2Fprofile%2Fpasskeys%3Fname")
        typed = unquote(answer.headers["location"]).partition("next=")[2]
        answer = await options(browser, "/profile/passkeys/options", "/profile/passkeys")
        assert answer.status_code == 403
        device.counter += 1
        asked = await options(browser, "/step-up/passkey/options", "/step-up")
        assert len(asked.json()["allowCredentials"]) == 1
        before = browser.cookie
        text = device.get(asked.json())
        done = await browser.act("/step-up/passkey", answer=text, next=typed)
        assert done.headers["location"] == typed
        assert 'value="my &#34;phone&#34;"' in (await browser.get(typed)).text
        assert browser.cookie not in ("", before)
        answer = await options(browser, "/profile/passkeys/options", "/profile/passkeys")
        assert answer.status_code == 200
        again = await browser.act("/step-up/passkey", answer=text)
        assert again.status_code == 403

    asyncio.run(story())


def test_a_passkey_is_renamed_and_removed_by_its_user_alone() -> None:
    async def story() -> None:
        people = People()
        browser, _ = await with_passkey(people)
        other, _ = await with_passkey(people, ANA)
        [passkey] = people.user().passkeys
        for path in ("rename", "remove"):
            answer = await other.act(f"/profile/passkeys/{path}", key=passkey.key, name="x")
            assert answer.status_code == 422
        answer = await browser.act("/profile/passkeys/rename", key=passkey.key, name="key")
        assert answer.status_code == 303
        assert people.user().passkeys[0].name == "key"
        assert (await browser.act("/profile/passkeys/remove", key=passkey.key)).status_code == 303
        assert people.user().passkeys == ()
        assert len(people.user(ANA).passkeys) == 1

    asyncio.run(story())


@pytest.mark.parametrize("answer", ["", "{}", "x" * 100_000], ids=["none", "empty", "long"])
def test_another_answer_makes_no_passkey(answer: str) -> None:
    async def story() -> None:
        people = People()
        browser, _ = await with_passkey(people)
        done = await browser.act("/profile/passkeys", answer=answer, name="x")
        assert done.status_code == 422
        assert "The passkey was not made." in done.text
        assert len(people.user().passkeys) == 1

    asyncio.run(story())


def test_an_address_without_passkeys_says_how_to_get_them() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        object.__setattr__(people.context.settings, "portal_url", lambda: "http://127.0.0.1:8025")
        browser = Browser(people)
        assert "passkeys.js" not in (await browser.get("/sign-in")).text
        await browser.sign_in(code=people.code())
        page = (await browser.get("/profile/passkeys")).text
        assert "set `url` in `[web]`" in page
        answer = await options(browser, "/sign-in/passkey/options")
        assert answer.status_code == 409

    asyncio.run(story())
