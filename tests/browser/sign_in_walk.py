"""A walk of an operator through every page of the sign-in, from the invitation to the sign-out."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from playwright.sync_api import Locator, Page

from restante.admin.portal_links import PORTAL_LINK_PATH, NewPortalLink, make_portal_link
from restante.tenancy.one_time_codes import code_at, step_at
from tests.acceptance.portal_browser import key_on, recovery_codes_on
from tests.admin.admin_world import FakeServer
from tests.admin.portal_people import ANA, PASSWORD, ROOT, People
from tests.browser.sample_portal import serving_application
from tests.web.portal.browsers import portal_of

Look = Callable[[str, Page], None]  # gets the name of a page, and the page


@dataclass
class SignInPortal:
    """A portal with a real sign-in, and an invitation of an operator."""

    people: People
    address: str
    secret: str  # of the invitation

    def link(self) -> str:
        """Return the path of a one-time link for a user of an account."""
        paths: list[str] = []

        async def make() -> None:
            admin = self.people.admin.context
            context = replace(self.people.context.acting(admin.principal), server=FakeServer())
            made = await make_portal_link(context, NewPortalLink(user=ANA))
            paths.append(made.link.removeprefix(context.settings.portal_url()))

        in_a_loop_of_its_own(make())
        return paths[0]


@contextmanager
def sign_in_portal() -> Iterator[SignInPortal]:
    """Serve it while the block runs."""
    people, secrets = People(), list[str]()

    async def fill() -> None:
        await people.admin.host("alpha.example", "alpha")
        await people.admin.hold(1, 1, "anna@alpha.example")
        await people.set_up(ANA, has_code=False)
        secrets.append(await people.invite())

    in_a_loop_of_its_own(fill())
    with serving_application(portal_of(people)) as address:
        yield SignInPortal(people, address, secrets[0])


def in_a_loop_of_its_own(work: Coroutine[Any, Any, None]) -> None:
    """Run it to its end. Playwright has an event loop in the thread of the tests."""
    thread = threading.Thread(target=lambda: asyncio.run(work))
    thread.start()
    thread.join()


def walk_sign_in(page: Page, portal: SignInPortal, look: Look) -> None:
    """Go through all pages, as a person with a keyboard does."""
    people = portal.people
    page.goto(f"{portal.address}/invitation/{portal.secret}")
    look("invitation", page)
    key = key_on(page.content())
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("Repeat password").fill("another one at all")
    page.get_by_label("The six digits").fill(code_at(key, step_at(people.now)))
    follow(page, page.get_by_role("button", name="Set up and sign in"))
    look("invitation-refused", page)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_label("Repeat password").fill(PASSWORD)
    page.get_by_label("The six digits").fill(code_at(key, step_at(people.now)))
    follow(page, page.get_by_role("button", name="Set up and sign in"))
    look("recovery-codes", page)
    codes = recovery_codes_on(page.content())
    follow(page, page.get_by_role("link", name="I have saved them"))
    assert page.locator("details.who > summary").inner_text() == ROOT
    sign_out(page)
    look("sign-in", page)
    fill_sign_in(page, "000000")
    look("sign-in-refused", page)
    fill_sign_in(page, codes[0])
    page.goto(f"{portal.address}/profile")
    look("profile", page)
    page.goto(f"{portal.address}/profile/passkeys")
    look("passkeys", page)
    people.now += 600
    page.goto(f"{portal.address}/profile/passkeys")
    look("passkeys-stale", page)
    page.goto(f"{portal.address}/profile/code")
    look("step-up", page)
    page.get_by_label("One-time code").fill(code_at(key, step_at(people.now)))
    follow(page, page.get_by_role("button", name="Confirm"))
    look("one-time-codes", page)
    page.goto(f"{portal.address}{portal.link()}")
    look("link", page)  # with a question, because somebody is signed in
    follow(page, page.get_by_role("button", name="Continue"))
    assert page.locator("details.who > summary").inner_text() == ANA
    sign_out(page)
    page.goto(f"{portal.address}/invitation/{portal.secret}")
    look("invitation-over", page)
    page.goto(f"{portal.address}{PORTAL_LINK_PATH}x")
    look("link-over", page)


def follow(page: Page, target: Locator) -> None:
    """Click, and wait until the next page is there with its style.

    A click does not wait. Without the style, a dark page has the browser's colors, which axe
    compares with white.
    """
    with page.expect_navigation():
        target.click()


def fill_sign_in(page: Page, code: str) -> None:
    """Fill the form of the sign-in, and send it."""
    page.get_by_label("Email address").fill(ROOT)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("One-time code").fill(code)
    follow(page, page.get_by_role("button", name="Sign in", exact=True))


def sign_out(page: Page) -> None:
    """Sign out by the menu."""
    page.locator("details.who > summary").click()
    follow(page, page.get_by_role("button", name="Sign out"))
