"""Every page in a real browser: nothing runs that a stranger wrote, and nothing needs a script."""

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from restante.mail.message import message_name
from restante.queue.drain_word import DrainState
from restante.queue.presence import DestinationState, WatchedDestination
from tests.admin.admin_world import NOW
from tests.browser.chromium import NEEDS_CHROMIUM, chromium
from tests.browser.sample_portal import DIRECTOR, EVIL, sample_admin, serving
from tests.browser.screenshots import PAGES
from tests.web.portal.visitors import ALPHA

AWAY = WatchedDestination(
    DestinationState.AWAY, NOW - 30_000, NOW + 20, "connection refused", NOW - 40
)

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def address() -> Iterator[str]:
    with serving(sample_admin(), DIRECTOR) as address:
        yield address


def open_page(browser: Browser, width: int = 1280, *, scripts: bool = True) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=scripts
    )
    return context.new_page()


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_no_page_is_wider_than_the_window_or_breaks_its_policy(
    browser: Browser, address: str, width: int
) -> None:
    """320 px are 1280 px at 400 % zoom."""
    page = open_page(browser, width)
    faults: list[str] = []
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    for name, path in PAGES.items():
        answer = page.goto(address + path)
        assert answer is not None
        assert answer.status == (404 if name == "not-found" else 200), name
        widest = page.evaluate("document.documentElement.scrollWidth")
        assert widest <= width, f"{name} is {widest} px wide"
        assert page.title() != "stolen"
        assert page.locator("h1").count() == 1, name
    assert [fault for fault in faults if "404" not in fault] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    browser: Browser, address: str, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # it runs in the page
    page = context.new_page()
    found: list[str] = []
    for name, path in PAGES.items():
        page.goto(address + path)
        result = Axe().run(page).response
        assert len(result["passes"]) > 10, name
        found += [f"{name}: {one['id']}: {one['nodes'][0]['html']}" for one in result["violations"]]
    assert found == []


def test_an_address_of_a_stranger_stays_text(browser: Browser, address: str) -> None:
    page = open_page(browser)
    page.goto(f"{address}/queue?domain=shop.alpha.example")
    assert page.get_by_text(EVIL).count() == 1
    assert page.locator("main img").count() == 0


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_message_is_deleted_after_a_question(
    browser: Browser, address: str, *, scripts: bool
) -> None:
    page = open_page(browser, scripts=scripts)
    page.goto(f"{address}/queue?domain=shop.alpha.example")
    name = message_name(41)
    page.get_by_label(f"Select {name}").check()
    page.get_by_role("button", name="Refresh").click()
    assert page.get_by_label(f"Select {name}").is_checked()
    page.get_by_role("button", name="Delete").click()
    assert page.get_by_role("heading", name="Delete 1 message?").is_visible()
    page.get_by_label("Reason").fill("tests")
    page.get_by_role("button", name="Delete 1 message").click()
    assert page.get_by_role("status").inner_text() == "1 message was deleted."
    assert page.get_by_label(f"Select {name}").count() == 0


def test_the_box_above_ticks_the_page(browser: Browser, address: str) -> None:
    page = open_page(browser)
    page.goto(f"{address}/queue?domain=shop.alpha.example")
    page.get_by_label("This page").check()
    assert page.locator("[data-ticked]").inner_text() == "6"
    assert page.locator("input[name=name]:checked").count() == 6


def test_a_running_drain_refreshes_without_a_reload(browser: Browser) -> None:
    admin = sample_admin()
    assert admin.server is not None
    with serving(admin, ALPHA) as address:
        page = open_page(browser)
        page.clock.install()  # it goes on as usual, until it is put forward
        page.goto(f"{address}/domains/alpha.example")
        assert "said last" not in page.locator("#drain").inner_text()
        page.locator(".head details.commands summary").click()
        admin.server.last_error = "451 4.3.2 <b>slowly</b>"
        page.get_by_text("451 4.3.2 <b>slowly</b>").wait_for(timeout=10_000)
        assert page.locator("#drain b").count() == 0
        admin.server.drain_state = DrainState.WAITING_TO_RETRY
        admin.server.sightings["mail.alpha.example:25"] = AWAY
        lead = page.locator(".head #lead")
        lead.get_by_text("The release waits to try again at").wait_for(timeout=10_000)
        page.locator("h1 #seen").get_by_text("away").wait_for(timeout=10_000)
        page.locator("#attention").get_by_text("has been away for").wait_for(timeout=10_000)
        admin.server.is_idle = True
        page.locator("#drain").get_by_text("Nothing has been handed over").wait_for(timeout=10_000)
        assert "release" not in lead.inner_text()
        assert page.locator("#drain[hx-trigger='every 10s']").count() == 1
        assert page.locator(".head details.commands").get_attribute("open") is not None
        for place in ("lead", "seen", "attention", "drain"):
            assert page.locator(f"#{place}").count() == 1, place
        admin.server.is_idle = False  # a drain that begins later appears by itself
        page.clock.fast_forward(10_000)
        page.locator("#drain").get_by_text("waiting to retry").wait_for(timeout=5_000)


def test_the_keyboard_reaches_the_content_and_the_first_action(
    browser: Browser, address: str
) -> None:
    page = open_page(browser)
    page.goto(address)
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("href") is not None
