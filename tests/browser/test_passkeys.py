"""Passkeys in a real browser, with an authenticator that its test interface has."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.admin.portal_people import PASSWORD, ROOT, People
from tests.browser.chromium import NEEDS_CHROMIUM, chromium
from tests.browser.sample_portal import serving_application
from tests.web.portal.browsers import portal_of

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def elsewhere(work: Coroutine[Any, Any, object]) -> None:
    """Run work in a thread: Playwright has an event loop in that of the tests."""
    thread = threading.Thread(target=lambda: asyncio.run(work))
    thread.start()
    thread.join()


@pytest.fixture
def people() -> People:
    found = People()
    elsewhere(found.set_up())
    return found


@pytest.fixture
def address(people: People) -> Iterator[str]:
    with serving_application(portal_of(people)) as served:
        found = served.replace("127.0.0.1", "localhost")  # browsers have no passkeys for an address
        object.__setattr__(people.context.settings, "portal_url", lambda: found)
        yield found


def page_with_device(browser: Browser, *, scripts: bool = True) -> Page:
    page = browser.new_context(java_script_enabled=scripts).new_page()
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page


def sign_in_by_code(page: Page, address: str, people: People) -> None:
    page.goto(f"{address}/sign-in")
    page.get_by_label("Email address").fill(ROOT)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("One-time code").fill(people.code())
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Sign in")


def test_a_passkey_is_made_signs_in_and_confirms(
    browser: Browser, people: People, address: str
) -> None:
    page = page_with_device(browser)
    faults: list[str] = []
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    sign_in_by_code(page, address, people)
    page.goto(f"{address}/profile/passkeys")
    page.get_by_label("Name").fill("my laptop")
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("status")).to_contain_text("The passkey was added.")
    expect(page.get_by_role("rowheader", name="my laptop")).to_be_visible()
    page.goto(f"{address}/profile")
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{address}/")
    people.now += 360
    page.goto(f"{address}/step-up?next=/profile/passkeys")
    page.get_by_role("button", name="Confirm with a passkey").click()
    page.wait_for_url(f"{address}/profile/passkeys")
    page.get_by_role("button", name="Remove my laptop").click()
    expect(page.get_by_role("status")).to_contain_text("The passkey was removed.")
    assert people.user().passkeys == ()
    assert faults == []


def test_a_passkey_that_was_removed_is_refused_in_words(
    browser: Browser, people: People, address: str
) -> None:
    page = page_with_device(browser)
    sign_in_by_code(page, address, people)
    page.goto(f"{address}/profile/passkeys")
    page.get_by_label("Name").fill("lost")
    page.get_by_role("button", name="Make a passkey").click()
    page.get_by_role("button", name="Remove lost").click()
    page.goto(f"{address}/profile")
    page.get_by_role("button", name="Sign out everywhere").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert").first).to_contain_text("This passkey was not accepted.")


def test_without_scripts_the_password_signs_in(
    browser: Browser, people: People, address: str
) -> None:
    page = page_with_device(browser, scripts=False)
    sign_in_by_code(page, address, people)
    page.goto(f"{address}/profile/passkeys")
    expect(page.get_by_text("or its scripts are off")).to_be_visible()
    expect(page.get_by_role("button", name="Make a passkey")).to_be_hidden()
