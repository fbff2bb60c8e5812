"""A walk through the pages of a provider of OpenID Connect, with one on loopback."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page

from restante.tenancy.provider_settings import ProviderSettings
from tests.admin.loopback_provider import LoopbackProvider
from tests.admin.portal_people import PASSWORD, People
from tests.browser.sample_portal import serving_application
from tests.browser.sign_in_walk import Look, SignInPortal, follow, in_a_loop_of_its_own, sign_out
from tests.web.portal.browsers import portal_of

BERT = "bert@alpha.example"
NAME = "Loopback"


@contextmanager
def provider_portal() -> Iterator[SignInPortal]:
    """Serve a portal with a provider, and a user of it who has a password."""
    people = People()

    async def fill() -> None:
        await people.admin.host("alpha.example", "alpha")
        await people.set_up(BERT, has_code=False)

    in_a_loop_of_its_own(fill())
    with listening(people.now) as settings, serving_application(portal_of(people)) as address:
        people.provider_settings = settings
        people.url = address
        yield SignInPortal(people, address, "")


@contextmanager
def listening(now: float) -> Iterator[ProviderSettings]:
    """Run the provider in a process of its own, as the browser keeps connections to it."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    with TemporaryDirectory() as directory:
        process = spawn.Process(target=_listen, args=(now, directory, theirs), daemon=True)
        process.start()
        try:
            settings: ProviderSettings = ours.recv()
            yield settings
        finally:
            process.terminate()
            process.join()
            ours.close()
            theirs.close()


def _listen(now: float, directory: str, told: Connection) -> None:
    async def forever() -> None:
        async with LoopbackProvider(now=now).listening(Path(directory)) as provider:
            told.send(provider.settings())
            await asyncio.Event().wait()

    asyncio.run(forever())


def walk_provider(page: Page, portal: SignInPortal, look: Look) -> None:
    """Link an identity, sign in by it, and see what is refused."""
    page.goto(f"{portal.address}/sign-in")
    look("sign-in-provider", page)
    page.get_by_label("Email address").fill(BERT)
    page.get_by_label("Password").fill(PASSWORD)
    follow(page, page.get_by_role("button", name="Sign in", exact=True))
    page.goto(f"{portal.address}/profile")
    look("profile-provider", page)
    follow(page, page.get_by_role("button", name=f"Link {NAME}"))
    look("provider-link", page)
    follow(page, page.get_by_role("link", name=f"Go to {NAME}"))
    assert "is linked" in page.get_by_role("status").inner_text()
    look("profile-linked", page)
    page.goto(portal.address)
    sign_out(page)
    follow(page, page.get_by_role("link", name=f"Sign in with {NAME}"))
    assert page.locator("details.who > summary").inner_text() == BERT
    portal.people.now += 600
    page.goto(f"{portal.address}/profile/code")
    assert page.get_by_role("link", name=f"Confirm with {NAME}").count() == 1
    look("step-up-provider", page)
    sign_out(page)
    page.goto(f"{portal.address}/sign-in/provider/back?state=x&code=y")
    look("provider-refused", page)
