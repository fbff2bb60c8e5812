"""A user's own sessions, password, and second factor."""

import asyncio
import re

from restante.admin.portal_sessions import SignInProof
from restante.tenancy.one_time_codes import code_at, step_at
from restante.tenancy.sign_in_factor import SignInFactor
from tests.admin.portal_people import ANA, PASSWORD, ROOT, People
from tests.web.portal.browsers import Browser, portal_of
from tests.web.portal.test_invitation_page import key_on
from tests.web.portal.test_step_up_page import signed_in

OTHER = "stiefel mond korb"


def test_a_user_sees_own_sessions_and_ends_one() -> None:
    async def story() -> None:
        people = People()
        portal = portal_of(people)
        await people.set_up()
        await people.set_up(ANA, has_code=False)
        first, second, ana = (Browser(people, portal) for _ in range(3))
        await first.sign_in(code=people.code())
        people.now += 60
        await second.sign_in(code=people.code())
        await ana.sign_in(ANA)
        page = await first.get("/profile")
        assert page.text.count("this session") == 1
        [key] = re.findall(r'name="key" value="([0-9a-f]{16})"', page.text)
        assert (await ana.act("/profile/end-session", key=key)).status_code == 303
        assert "That session is not there any more." in (await ana.get("/profile")).text
        assert await second.is_signed_in()
        answer = await first.act("/profile/end-session", key=key)
        assert answer.headers["location"] == "/profile"
        assert "The session has ended." in (await first.get("/profile")).text
        assert "The session has ended." not in (await first.get("/profile")).text  # told once
        assert not await second.is_signed_in()
        assert await first.is_signed_in()
        assert await ana.is_signed_in()

    asyncio.run(story())


def test_a_user_signs_out_everywhere() -> None:
    async def story() -> None:
        people = People()
        portal = portal_of(people)
        await people.set_up()
        first, second = (Browser(people, portal) for _ in range(2))
        await first.sign_in(code=people.code())
        people.now += 60
        await second.sign_in(code=people.code())
        answer = await first.act("/profile/sign-out-everywhere")
        assert answer.headers["location"] == "/sign-in"
        assert "You are signed out everywhere." in (await first.get("/sign-in")).text
        assert not await first.is_signed_in()
        assert not await second.is_signed_in()

    asyncio.run(story())


def test_a_password_is_changed_with_the_present_one_and_other_sessions_end() -> None:
    async def story() -> None:
        people = People()
        portal = portal_of(people)
        await people.set_up(ANA, has_code=False)
        browser, thief = Browser(people, portal), Browser(people, portal)
        await browser.sign_in(ANA)
        await thief.sign_in(ANA)
        form = {"present": PASSWORD, "password": OTHER, "repeated": OTHER}
        for wrong, status, words in (
            ({"present": "guess"}, 403, "The current password is wrong."),
            ({"repeated": "x"}, 422, "The two passwords differ."),
            ({"password": "short", "repeated": "short"}, 422, "This password is too short"),
        ):
            answer = await browser.act("/profile/password", **{**form, **wrong})
            assert (answer.status_code, words in answer.text) == (status, True)
        assert await thief.is_signed_in()
        before = browser.cookie
        answer = await browser.act("/profile/password", **form)
        assert answer.headers["location"] == "/profile"
        assert "Your password was changed." in (await browser.get("/profile")).text
        assert browser.cookie != before
        assert await browser.is_signed_in()
        assert not await thief.is_signed_in()
        assert (await Browser(people, portal).sign_in(ANA, OTHER)).status_code == 303

    asyncio.run(story())


def test_new_recovery_codes_need_a_recent_factor() -> None:
    async def story() -> None:
        people = People()
        browser = await signed_in(people)
        answer = await browser.act("/profile/recovery-codes")
        assert answer.headers["location"] == "/step-up?next=%2Fprofile"
        await browser.act("/step-up", code=people.code())
        done = await browser.act("/profile/recovery-codes")
        codes = re.findall(r"<code>([a-z2-9-]{14})</code>", done.text)
        assert len(codes) == 10
        assert set(codes) & set(people.recovery[ROOT]) == set()

    asyncio.run(story())


def test_a_user_sets_up_an_app_and_other_sessions_end() -> None:
    async def story() -> None:
        people = People()
        browser = await signed_in(people, ANA, minutes=1)
        thief = Browser(people)
        thief.plant(await people.sessions.begin(people.user(ANA), _proof()))
        page = await browser.get("/profile/code")
        wrong = await browser.send("/profile/code", page, code="")
        assert (wrong.status_code, key_on(wrong)) == (422, key_on(page))
        code = code_at(key_on(page), step_at(people.now))
        done = await browser.send("/profile/code", page, code=code)
        assert done.status_code == 200
        assert len(re.findall(r"<code>[a-z2-9-]{14}</code>", done.text)) == 10
        assert await browser.is_signed_in()
        assert not await thief.is_signed_in()
        assert (await Browser(people).sign_in(ANA)).status_code == 403
        people.now += 60
        people.apps[ANA] = key_on(page)
        assert (await Browser(people).sign_in(ANA, code=people.code(ANA))).status_code == 303

    asyncio.run(story())


def _proof() -> SignInProof:
    return SignInProof((SignInFactor.PASSWORD,), "192.0.2.66")


def test_an_app_is_not_set_up_without_a_recent_factor() -> None:
    async def story() -> None:
        people = People()
        browser = await signed_in(people, ANA)
        offer = people.credentials.offer_code(people.user(ANA))
        code = code_at(offer.secret, step_at(people.now))
        answer = await browser.act("/profile/code", sealed=offer.sealed, code=code)
        assert answer.headers["location"].startswith("/step-up")
        assert not people.user(ANA).has_second_factor

    asyncio.run(story())


def test_a_profile_is_for_people_who_are_signed_in() -> None:
    async def story() -> None:
        browser = Browser(People())
        for path in ("/profile", "/profile/code"):
            assert (await browser.get(path)).headers["location"].startswith("/sign-in")
        assert (await browser.send("/profile/password", password=OTHER)).status_code == 401

    asyncio.run(story())


def test_the_name_of_a_browser_is_shown_as_text() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        browser = Browser(people)
        browser._client.headers["User-Agent"] = "<script>alert(1)</script>"
        await browser.sign_in(code=people.code())
        page = await browser.get("/profile")
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text

    asyncio.run(story())
