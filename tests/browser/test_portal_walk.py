"""Every page of the portal, as an operator, one who only reads, an account's admin, a stranger.

The pages are those of the portal's own table of routes: a page without a row here fails.
"""

import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page, Response
from starlette.routing import Match, Route

from tests.browser.chromium import NEEDS_CHROMIUM, chromium
from tests.browser.portal_walk import (
    ADMIN,
    FILES,
    FORMS,
    NOT_ALLOWED,
    NOT_FOUND,
    OPERATOR,
    OVERVIEW,
    OWN_FORMS,
    PAGES,
    PART,
    READER,
    SIGN_IN,
    STRANGER,
    VISITORS,
    WalkedPage,
    WalkedPortal,
    listening_for_faults,
    routes_of,
    walked_portal,
)
from tests.web.portal.browsers import hidden_fields

pytestmark = NEEDS_CHROMIUM

NARROW = {"width": 390, "height": 800}
WIDE = {"width": 1280, "height": 800}
OWN_PAGES = "/profile"  # forms about the own access
HIDDEN = re.compile(r'<input type="hidden"[^>]*>')  # it has the token of the session
REFUSALS = {NOT_FOUND: 404, NOT_ALLOWED: 403}
CONTRAST = {"runOnly": ["color-contrast"]}
NAMES = {OPERATOR: "operator", READER: "operator-reader", ADMIN: "account-admin", "": "stranger"}


def named(visitor: str) -> str:
    return NAMES[visitor]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def portal() -> Iterator[WalkedPortal]:
    """One for all walks: none of them changes anything."""
    with walked_portal() as served:
        yield served


@pytest.fixture(scope="module")
def windows(browser: Browser, portal: WalkedPortal) -> dict[str, BrowserContext]:
    return {visitor: portal.enter(browser, visitor) for visitor in VISITORS}


def test_every_route_has_a_row(portal: WalkedPortal) -> None:
    assert routes_of(portal.portal, "GET") == {one.route for one in PAGES} | FILES
    assert routes_of(portal.portal, "POST") == {one.route for one in FORMS} | OWN_FORMS
    for one in PAGES:
        assert route_of(portal, one.path) == one.route


def route_of(portal: WalkedPortal, path: str, method: str = "GET") -> str:
    """Return the route that answers an address, "" if none does."""
    scope = {"type": "http", "method": method, "path": urlsplit(path).path}
    for route in portal.portal.routes:
        if isinstance(route, Route) and route.matches(scope)[0] is Match.FULL:
            return route.path
    return ""


@pytest.mark.parametrize("visitor", VISITORS, ids=named)
def test_every_page_is_found_as_it_must_be(
    windows: dict[str, BrowserContext], portal: WalkedPortal, visitor: str
) -> None:
    page = windows[visitor].new_page()
    faults = listening_for_faults(page)
    offered: set[str] = set()
    for one in PAGES:
        answer = page.goto(portal.address + one.path)
        assert answer is not None
        see(page, answer, one, one.expected(visitor))
        if visitor != STRANGER:  # the sign-in has a walk of its own
            see_at_all_sizes(page, one)
        offered |= links_of(page)
    page.close()
    assert [fault for fault in faults if "status of 40" not in fault] == []
    follow_all(windows[visitor], portal, offered)


def see(page: Page, answer: Response, one: WalkedPage, expected: str) -> None:
    path = urlsplit(page.url).path
    if expected == SIGN_IN:
        assert (path, answer.status) == ("/sign-in", 200), one
        assert "alpha" not in page.locator("body").inner_text()
    elif expected == OVERVIEW:
        assert (path, answer.status) == ("/", 200), one
    elif expected == PART:
        assert answer.status == 200, one
        assert page.locator("h1").count() == 0, one
    else:
        assert answer.status == REFUSALS.get(expected, one.status), one
        heading = page.locator("h1")
        assert heading.count() == 1, one
        assert heading.inner_text().startswith(expected), (one, heading.inner_text())


def see_at_all_sizes(page: Page, one: WalkedPage) -> None:
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        widest = page.evaluate("document.documentElement.scrollWidth")
        assert widest <= size["width"], f"{one.path} is {widest} px wide"


def links_of(page: Page) -> set[str]:
    """Return the addresses of the links that can be seen, without fragments."""
    for menu in page.locator("details:not([open]) > summary").all():
        if menu.is_visible():
            menu.click()
    found = page.locator("a[href]:visible").evaluate_all("all => all.map((one) => one.href)")
    return {each.partition("#")[0] for each in found} - {page.url}


def follow_all(window: BrowserContext, portal: WalkedPortal, offered: set[str]) -> None:
    """Load each address: all are of this portal, and no page offers one that is not there."""
    for address in sorted(offered):
        assert address.startswith(f"{portal.address}/"), address
        answer = window.request.get(address)
        assert answer.ok, (address, answer.status)
        assert route_of(portal, address.removeprefix(portal.address)), address


@pytest.fixture(scope="module")
def examined() -> set[tuple[str, str]]:
    """The contents of pages that axe has seen, by color scheme: two people often get the same."""
    return set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("visitor", [OPERATOR, READER], ids=named)
def test_axe_finds_nothing_on_any_page(
    windows: dict[str, BrowserContext],
    portal: WalkedPortal,
    examined: set[tuple[str, str]],
    visitor: str,
    scheme: Literal["light", "dark"],
) -> None:
    """test_portal_pages and test_portal_sign_in have the pages of accounts and of strangers."""
    page = windows[visitor].new_page()
    page.emulate_media(color_scheme=scheme)
    found: list[str] = []
    for one in PAGES:
        if one.expected(visitor) in (OVERVIEW, PART):
            continue
        page.goto(portal.address + one.path)
        content = (scheme, HIDDEN.sub("", page.locator("main").inner_html()))
        if content in examined:
            continue
        examined.add(content)
        result = Axe().run(page, options=CONTRAST if scheme == "dark" else None).response
        assert result["passes"], one
        found += [
            f"{one.path}: {each['id']}: {each['nodes'][0]['html']}" for each in result["violations"]
        ]
    page.close()
    assert found == []


def test_a_reader_is_offered_no_form_that_acts(
    windows: dict[str, BrowserContext], portal: WalkedPortal
) -> None:
    page = windows[READER].new_page()
    for one in PAGES:
        page.goto(portal.address + one.path)
        if urlsplit(page.url).path.startswith(OWN_PAGES):
            continue
        script = """all => all.filter((one) => one.form?.method === "post")
            .map((one) => one.getAttribute("formaction") ?? one.form.getAttribute("action"))"""
        buttons = page.locator("main button").evaluate_all(script)
        assert {route_of(portal, each, "POST") for each in buttons} <= OWN_FORMS, one
    page.close()


@pytest.mark.parametrize("visitor", [READER, STRANGER], ids=named)
def test_no_form_acts_for_readers_and_strangers(
    windows: dict[str, BrowserContext], portal: WalkedPortal, visitor: str
) -> None:
    window = windows[visitor]
    token = hidden_fields(window.request.get(f"{portal.address}/profile").text()).get("csrf", "x")
    for one in FORMS:
        answer = window.request.post(
            portal.address + one.path,
            form={"csrf": token, **one.fields},
            headers={"Sec-Fetch-Site": "same-origin"},
            max_redirects=0,
        )
        assert answer.status == (307 if visitor == STRANGER else 403), (one, answer.status)
        if visitor == STRANGER:  # the form waits for a sign-in
            assert answer.headers["location"].startswith("/sign-in/keep?"), one
