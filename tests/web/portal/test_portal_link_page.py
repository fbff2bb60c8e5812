"""The page behind a link: a GET changes nothing, and the session proves no factor."""

import asyncio
from dataclasses import replace

from restante.admin.portal_links import NewPortalLink, make_portal_link
from restante.tenancy.sign_in_factor import SignInFactor
from tests.admin.admin_world import FakeServer
from tests.admin.portal_people import ANA, People
from tests.web.portal.browsers import ADDRESS, Browser


async def path_of(people: People) -> str:
    context = replace(people.context, server=FakeServer())
    made = await make_portal_link(context, NewPortalLink(user=ANA))
    return made.link.removeprefix(ADDRESS)


def test_a_link_opens_a_session_once_and_proves_no_factor() -> None:
    async def story() -> None:
        people = People()
        await people.set_up(ANA, has_code=False)
        path, browser = await path_of(people), Browser(people)
        for _ in range(2):
            page = await browser.get(path)
            assert ANA in page.text
            assert "open.js" in page.text
            assert not await browser.is_signed_in()
        done = await browser.send(path)
        assert (done.status_code, done.headers["location"]) == (303, "/")
        assert await browser.is_signed_in()
        [session] = await people.sessions.of_user(ANA)
        assert (session.factors, session.proved_at) == ((SignInFactor.LINK,), 0.0)
        assert (await browser.get("/profile/code")).status_code == 303
        other = Browser(people)
        for answer in (await other.get(path), await other.send(path)):
            assert answer.status_code == 404
            assert "This link was used" in answer.text

    asyncio.run(story())


def test_somebody_signed_in_is_asked_first() -> None:
    async def story() -> None:
        people = People()
        await people.set_up()
        await people.set_up(ANA, has_code=False)
        browser = Browser(people)
        await browser.sign_in(code=people.code())
        page = await browser.get(await path_of(people))
        assert "open.js" not in page.text
        assert "That session ends." in page.text

    asyncio.run(story())


def test_a_strange_page_cannot_send_the_form() -> None:
    async def story() -> None:
        people = People()
        await people.set_up(ANA, has_code=False)
        path, browser = await path_of(people), Browser(people)
        strange = await browser._client.post(path, headers={"Sec-Fetch-Site": "cross-site"})
        assert strange.status_code == 403
        assert (await browser.send(path)).status_code == 303

    asyncio.run(story())
