"""The sign-in: it opens the portal to the right person, and tells a stranger nothing."""

import asyncio
import html

import httpx
import pytest

from restante.admin.portal_hashing import PortalHashing
from restante.admin.sign_in import BUSY, REFUSED, TOO_MANY
from restante.store.store_errors import StoreError
from tests.admin.portal_people import ANA, ELSEWHERE, PASSWORD, ROOT, People
from tests.web.portal.browsers import Browser, hidden_fields, portal_of


def test_a_page_leads_to_the_sign_in_and_back() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        browser = Browser(people)
        answer = await browser.get("/queue?domain=a.example&status=held")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=%2Fqueue")
        page = await browser.get(answer.headers["location"])
        assert 'value="/queue?domain=a.example&amp;status=held"' in page.text
        signed_in = await browser.sign_in(code=people.code(), following="/queue?domain=a.example")
        assert (signed_in.status_code, signed_in.headers["location"]) == (
            303,
            "/queue?domain=a.example",
        )
        assert await browser.is_signed_in()
        assert (await browser.get("/sign-in?next=/queue")).headers["location"] == "/queue"

    asyncio.run(story())


@pytest.mark.parametrize("following", ["//evil.example", "https://evil.example", "/\\evil"])
def test_nobody_is_led_to_another_host(following: str) -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        browser = Browser(people)
        page = await browser.get(f"/sign-in?next={following}")
        assert "evil" not in page.text
        answer = await browser.sign_in(code=people.code(), following=following)
        assert answer.headers["location"] == "/"
        assert (await browser.get(f"/sign-in?next={following}")).headers["location"] == "/"

    asyncio.run(story())


def test_unknown_and_known_users_get_one_answer() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        texts = set()
        for email, code in ((ROOT, ""), (ROOT, "000000"), ("nobody@mx.example", "")):
            answer = await Browser(people).sign_in(email, "wrong password", code)
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers
            assert html.escape(REFUSED) in answer.text
            texts.add(answer.text.replace(email, "EMAIL"))
        right_password = await Browser(people).sign_in(code="000000")
        texts.add(right_password.text.replace(ROOT, "EMAIL"))
        assert len(texts) == 1

    asyncio.run(story())


def test_the_form_keeps_the_address_and_no_secret() -> None:
    async def story() -> None:
        people = People()
        answer = await Browser(people).sign_in('"><b>@x.example', "hunter2hunter2", "123456")
        assert "&lt;b&gt;@x.example" in answer.text
        assert "hunter2" not in answer.text
        assert "123456" not in answer.text

    asyncio.run(story())


def test_guesses_are_answered_by_429_and_a_full_line_by_503() -> None:
    async def story() -> None:
        people = People()
        portal = portal_of(people)
        for _ in range(5):
            assert (await Browser(people, portal).sign_in(ROOT, "x")).status_code == 403
        answer = await Browser(people, portal).sign_in(ROOT, "x")
        assert (answer.status_code, TOO_MANY in answer.text) == (429, True)
        busy = await Browser(People(hashing=PortalHashing(limit=0))).sign_in(ROOT, "x")
        assert (busy.status_code, BUSY in busy.text) == (503, True)

    asyncio.run(story())


def test_a_planted_session_is_not_the_one_after_the_sign_in() -> None:
    """Session fixation: an attacker's own session, put into a victim's browser."""

    async def story() -> None:
        people = People()
        await people.set_up()
        await people.set_up(ANA, has_code=False)
        portal = portal_of(people)
        attacker, victim = Browser(people, portal), Browser(people, portal, ELSEWHERE)
        await attacker.sign_in(ANA)
        planted = attacker.cookie
        victim.plant(planted)
        await victim.sign_in(code=people.code())
        assert victim.cookie not in ("", planted)
        assert not await attacker.is_signed_in()
        victim.plant("A" * 43)  # an id that the attacker chose
        people.now += 60
        await victim.sign_in(code=people.code())
        assert victim.cookie != "A" * 43

    asyncio.run(story())


def test_another_site_cannot_sign_a_browser_in() -> None:
    async def story() -> None:
        people = People()
        await people.set_up(ANA, has_code=False)
        browser = Browser(people)
        form = {"email": ANA, "password": "korb stiefel mond"}
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
            answer = await browser._client.post("/sign-in", data=form, headers=headers)
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers
        assert not await browser.is_signed_in()

    asyncio.run(story())


def test_a_sign_out_ends_the_session_on_the_server_too() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        browser = Browser(people)
        await browser.sign_in(code=people.code())
        kept = browser.cookie
        answer = await browser.act("/sign-out")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert browser.cookie == ""
        assert "You are signed out." in (await browser.get("/sign-in")).text
        assert "You are signed out" not in (await browser.get("/sign-in?told=out")).text
        browser.plant(kept)
        assert not await browser.is_signed_in()

    asyncio.run(story())


def test_a_get_signs_nobody_out() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        browser = Browser(people)
        await browser.sign_in(code=people.code())
        assert (await browser.get("/sign-out")).status_code == 405
        assert await browser.is_signed_in()

    asyncio.run(story())


def test_a_user_who_is_removed_during_the_sign_in_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> httpx.Response:
        people = People()
        await people.set_up()
        records = people.admin.store.records
        [entry, *_] = people.admin.store.state.trail
        kept = type(people.sessions).begin

        async def begin(*given: object, **named: object) -> str:
            await records.remove_portal_user(ROOT, entry)
            return await kept(*given, **named)  # type: ignore[arg-type]

        monkeypatch.setattr(type(people.sessions), "begin", begin)
        return await Browser(people).sign_in(code=people.code())

    answer = asyncio.run(story())
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_store_that_fails_is_said_and_a_part_of_a_page_is_answered_as_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        browser = Browser(people)
        await browser.sign_in(code=people.code())

        async def fail(*_: object) -> None:
            raise StoreError("the disk is full")

        monkeypatch.setattr(type(people.admin.store.sessions), "session", fail)
        answer = await browser.get("/")
        assert (answer.status_code, "cannot answer now" in answer.text) == (503, True)
        stranger = await Browser(people).get("/domains/x/drain", **{"HX-Request": "true"})
        assert (stranger.status_code, "<html" in stranger.text) == (401, False)

    asyncio.run(story())


def test_a_form_that_came_after_the_end_of_its_session_waits_for_the_sign_in() -> None:
    async def story() -> None:
        people = People()
        browser = Browser(people)
        await people.set_up()
        await browser.sign_in(code=people.code())
        csrf = hidden_fields((await browser.get("/profile")).text)["csrf"]
        people.now += 3600
        form = {"csrf": csrf, "hosts": "192.0.2.7", "reason": "a <b> & c"}
        sent = await browser.send("/domains/alpha.example/hosts", None, **form)
        assert sent.status_code == 307
        page = await browser.send(sent.headers["location"], None, **form)
        assert (page.status_code, "your form is kept" in page.text) == (401, True)
        fields = {name: html.unescape(one) for name, one in hidden_fields(page.text).items()}
        given = {"email": ROOT, "password": PASSWORD}
        wrong = await browser.send("/sign-in", None, **fields, **given, code="000000")
        assert hidden_fields(wrong.text)["kept"] == hidden_fields(page.text)["kept"]
        done = await browser.send("/sign-in", None, **fields, **given, code=people.code())
        assert (done.status_code, done.headers["location"]) == (
            307,
            "/repeat?to=/domains/alpha.example/hosts",
        )
        again = await browser.send(done.headers["location"], None, **fields)
        assert "a &lt;b&gt; &amp; c" in again.text
        assert "192.0.2.7" in again.text

    asyncio.run(story())


def test_a_kept_form_goes_on_if_somebody_signed_in_elsewhere_meanwhile() -> None:
    async def story() -> None:
        people = People()
        browser = Browser(people)
        await people.set_up()
        kept = {"next": "/", "question": "/queue/confirm", "kept": "action=delete"}
        assert (await browser.send("/sign-in/keep", None, **kept)).status_code == 401
        await browser.sign_in(code=people.code())
        done = await browser.send("/sign-in/keep", None, **kept)
        assert (done.status_code, done.headers["location"]) == (307, "/queue/confirm")

    asyncio.run(story())
