"""The page behind an invitation's link."""

import asyncio
import html
import re

import httpx
import pytest

from restante.admin.own_credentials import LINK_OVER
from restante.store.store_errors import StoreError
from restante.tenancy.one_time_codes import code_at, step_at
from tests.admin.portal_people import ANA, PASSWORD, ROOT, People
from tests.web.portal.browsers import Browser


def key_on(page: httpx.Response) -> str:
    """Return the key of the one-time codes that a page shows as text."""
    [shown] = re.findall(r"<code>((?:[A-Z2-7]{4} )+)</code>", page.text)
    return str(shown).replace(" ", "")


def code_for(people: People, page: httpx.Response) -> str:
    people.apps[ROOT] = key_on(page)
    return code_at(key_on(page), step_at(people.now))


def test_a_link_leads_to_the_portal() -> None:
    async def story() -> None:
        people = People()
        path = f"/invitation/{await people.invite()}"
        browser = Browser(people)
        page = await browser.get(path)
        assert page.status_code == 200
        assert ROOT in page.text
        assert '<svg class="qr"' in page.text
        form = {"password": PASSWORD, "repeated": PASSWORD, "code": code_for(people, page)}
        done = await browser.send(path, page, **form)
        assert done.status_code == 200
        codes = re.findall(r"<code>([a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4})</code>", done.text)
        assert len(codes) == 10
        assert await browser.is_signed_in()
        again = await browser.send(path, page, **form)
        assert (again.status_code, LINK_OVER in again.text) == (404, True)
        assert (await browser.get(path)).status_code == 404
        people.now += 60
        other = Browser(people)
        assert (await other.sign_in(code=codes[4])).status_code == 303

    asyncio.run(story())


def test_a_mail_filter_that_opens_the_link_does_not_use_it_up() -> None:
    async def story() -> None:
        people = People()
        path = f"/invitation/{await people.invite()}"
        before = people.user()
        for _ in range(3):
            assert (await Browser(people).get(path)).status_code == 200
        assert people.user() == before
        assert (await Browser(people).get(path)).headers.get("set-cookie") is None

    asyncio.run(story())


def test_unknown_used_and_late_links_get_one_answer() -> None:
    async def story() -> None:
        people = People()
        late = await people.invite()
        people.now += 3600
        used = await people.invite(ANA)
        await people.accept(used)
        texts = set()
        for secret in (late, used, "x", "A" * 43):
            answer = await Browser(people).get(f"/invitation/{secret}")
            assert answer.status_code == 404
            texts.add(answer.text)
            sent = await Browser(people).send(f"/invitation/{secret}", password=PASSWORD)
            assert sent.status_code == 404
        assert len(texts) == 1

    asyncio.run(story())


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"repeated": "another one at all"}, "The two passwords differ."),
        ({"password": "short", "repeated": "short"}, "too short"),
        ({"code": "000000"}, "not the one that the app shows"),
        ({"code": ""}, "An operator needs a one-time code"),
    ],
    ids=range(4),
)
def test_a_mistake_is_said_and_the_app_stays_good(form: dict[str, str], error: str) -> None:
    async def story() -> None:
        people = People()
        path = f"/invitation/{await people.invite()}"
        browser = Browser(people)
        page = await browser.get(path)
        good = {"password": PASSWORD, "repeated": PASSWORD, "code": code_for(people, page)}
        again = await browser.send(path, page, **{**good, **form})
        assert again.status_code == 422
        assert error in html.unescape(again.text)
        assert key_on(again) == key_on(page)
        assert PASSWORD not in again.text
        assert (await browser.send(path, again, **good)).status_code == 200

    asyncio.run(story())


def test_a_user_of_an_account_may_go_without_an_app() -> None:
    async def story() -> None:
        people = People()
        path = f"/invitation/{await people.invite(ANA)}"
        browser = Browser(people)
        page = await browser.get(path)
        assert "recommended" in page.text
        answer = await browser.send(path, page, password=PASSWORD, repeated=PASSWORD)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert await browser.is_signed_in()

    asyncio.run(story())


def test_the_secret_of_the_link_is_not_in_the_log_nor_in_links(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> None:
        people = People()
        secret = await people.invite()
        browser = Browser(people)
        page = await browser.get(f"/invitation/{secret}")
        assert page.headers["referrer-policy"] == "no-referrer"
        links = re.findall(r'(?:href|src)="([^"]*)"', page.text)
        assert links
        assert not [one for one in links if secret in one]

        async def fail(*_: object) -> None:
            raise StoreError("the disk is full")

        monkeypatch.setattr(type(people.admin.store.records), "put_portal_user", fail)
        form = {"password": PASSWORD, "repeated": PASSWORD, "code": code_for(people, page)}
        assert (await browser.send(f"/invitation/{secret}", page, **form)).status_code == 503

        def break_down(*_: object) -> None:
            raise RuntimeError("a defect")

        monkeypatch.setattr(type(people.credentials), "invited", break_down)
        assert (await browser.get(f"/invitation/{secret}")).status_code == 500
        lines = repr(people.admin.log.lines)
        assert "/invitation/{secret}" in lines
        assert secret not in lines

    asyncio.run(story())
