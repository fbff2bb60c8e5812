"""A critical action asks for a factor again, and the session gets another id."""

import asyncio
import html
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest

from restante.admin.portal_sessions import SessionOver
from restante.tenancy.audit import AuditAction
from restante.web.portal.kept_form import LONGEST_KEPT, KeptForm, brought_along
from restante.web.portal.own_path import keep_path
from restante.web.portal.portal_visit import FormValues
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


def test_a_kept_form_comes_back_to_its_question_and_is_not_carried_out() -> None:
    async def story() -> None:
        people = People()
        browser = await signed_in(people)
        csrf = hidden_fields((await browser.get("/profile")).text)["csrf"]
        question, form = "/queue/confirm?again=1", {"action": "delete", "reason": "a <b> & ß"}
        address = keep_path(question, "/queue?recipient=a%40b.example")
        page = await browser.send(address, None, csrf=csrf, **form)
        wrong = await browser.send("/step-up", unescaped(page), code="000000")
        assert (page.status_code, wrong.status_code) == (200, 403)
        fields = {name: html.unescape(one) for name, one in hidden_fields(wrong.text).items()}
        assert dict(parse_qsl(fields["kept"])) == form
        assert fields["next"] == "/queue?recipient=a%40b.example"
        done = await browser.send("/step-up", None, **fields, code=people.code())
        assert (done.status_code, done.headers["location"]) == (307, question)
        back = await browser.send(question, None, **fields)
        assert back.status_code == 400
        assert "no message is selected" in back.text

    asyncio.run(story())


@pytest.mark.parametrize(
    "question", ["/queue/carry-out", "//evil.example/queue/confirm", "/messages/a/raw", "/profile"]
)
def test_a_kept_form_goes_to_no_page_that_acts(question: str) -> None:
    async def story() -> None:
        people = People()
        browser = await signed_in(people)
        done = await browser.act(
            "/step-up", code=people.code(), next="/queue", question=question, kept="a=b"
        )
        assert (done.status_code, done.headers["location"]) == (303, "/queue")

    asyncio.run(story())


def test_a_form_that_is_too_large_is_not_kept() -> None:
    kept = FormValues(urlencode({"question": "/queue/confirm", "kept": "a" * (LONGEST_KEPT + 1)}))
    assert brought_along(kept) == KeptForm("/")


def test_a_step_up_in_one_tab_keeps_the_action_of_another() -> None:
    async def story() -> None:
        people = People()
        browser = await signed_in(people)
        csrf = hidden_fields((await browser.get("/profile")).text)["csrf"]
        await browser.send("/step-up", None, csrf=csrf, code=people.code())
        form = {"csrf": csrf, "action": "delete", "scope": "all", "reason": "spam wave"}
        sent = await browser.send("/queue/carry-out", None, **form)
        assert (sent.status_code, sent.headers["location"]) == (307, "/queue/confirm?again=1")
        kept = {"question": "/queue/confirm", "kept": "action=delete&reason=spam", "next": "/queue"}
        other = await browser.send("/step-up", None, csrf=csrf, code="1", **kept)
        assert (other.status_code, other.headers["location"]) == (307, "/step-up/keep?again=1")
        on = await browser.send("/step-up/keep?again=1", None, csrf=csrf, code="1", **kept)
        assert (on.status_code, on.headers["location"]) == (307, "/queue/confirm")

    asyncio.run(story())


def unescaped(page: httpx.Response) -> httpx.Response:
    """Return a page whose hidden fields are as a browser sends them."""
    return httpx.Response(page.status_code, text=page.text.replace("&amp;", "&"))
