"""A critical action asks for a factor again, and the session gets another id."""

import asyncio

import pytest

from restante.admin.portal_sessions import SessionOver
from restante.tenancy.audit import AuditAction
from tests.admin.portal_people import ANA, PASSWORD, People
from tests.web.portal.browsers import Browser, hidden_fields, portal_of


async def signed_in(people: People, email: str = "", minutes: float = 6) -> Browser:
    """Return the browser of a user who signed in some minutes ago."""
    browser = Browser(people, portal_of(people))
    if email:
        await people.set_up(email, has_code=False)
        await browser.sign_in(email)
    else:
        await people.set_up()
        await browser.sign_in(code=people.code())
    people.now += minutes * 60
    assert await browser.is_signed_in()
    return browser


def test_a_recent_factor_is_not_asked_for_again() -> None:
    async def story() -> None:
        browser = await signed_in(People(), minutes=4)
        answer = await browser.get("/step-up?next=/profile/code")
        assert (answer.status_code, answer.headers["location"]) == (303, "/profile/code")
        assert (await browser.get("/profile/code")).status_code == 200

    asyncio.run(story())


def test_a_code_makes_the_session_fresh_under_another_id() -> None:
    async def story() -> None:
        people = People()
        browser = await signed_in(people)
        answer = await browser.get("/profile/code")
        assert answer.headers["location"] == "/step-up?next=%2Fprofile%2Fcode"
        page = await browser.get(answer.headers["location"])
        before = browser.cookie
        done = await browser.send("/step-up", page, code=people.code())
        assert (done.status_code, done.headers["location"]) == (303, "/profile/code")
        assert browser.cookie not in ("", before)
        assert (await browser.get("/profile/code")).status_code == 200
        old = Browser(people)
        old.plant(before)
        assert not await old.is_signed_in()
        assert len(await people.entries(AuditAction.FACTOR_SHOWN)) == 1

    asyncio.run(story())


def test_a_wrong_code_changes_nothing_and_guesses_end() -> None:
    async def story() -> None:
        people = People()
        browser = await signed_in(people)
        before = browser.cookie
        for status in (403, 403, 403, 403, 403, 429):
            answer = await browser.act("/step-up", code="000000", next="/profile/code")
            assert answer.status_code == status
            assert hidden_fields(answer.text)["next"] == "/profile/code"
        assert browser.cookie == before

    asyncio.run(story())


def test_a_user_without_an_app_types_the_password() -> None:
    async def story() -> None:
        people = People()
        browser = await signed_in(people, ANA)
        assert 'name="password"' in (await browser.get("/step-up")).text
        answer = await browser.act("/step-up", password=PASSWORD, next="//evil.example")
        assert answer.headers["location"] == "/"

    asyncio.run(story())


def test_a_session_that_ends_meanwhile_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        people = People()
        browser = await signed_in(people)

        async def over(*_: object) -> None:
            raise SessionOver

        monkeypatch.setattr(type(people.sessions), "renew", over)
        answer = await browser.act("/step-up", code=people.code())
        assert answer.status_code == 401

    asyncio.run(story())


def test_a_stranger_is_asked_to_sign_in() -> None:
    answer = asyncio.run(Browser(People()).get("/step-up?next=/queue"))
    assert answer.headers["location"].startswith("/sign-in")
