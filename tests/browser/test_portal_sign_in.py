"""Signing in with a real browser: its cookies, its forms, and the names of its pages."""

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page

from restante.tenancy.one_time_codes import code_at, step_at
from restante.web.portal import queue_page
from tests.acceptance.installation import HOST, Installation, at
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.portal_browser import COOKIE, key_on
from tests.acceptance.sample import message, send
from tests.admin.portal_people import PASSWORD
from tests.browser.chromium import NEEDS_CHROMIUM, chromium
from tests.browser.provider_walk import provider_portal, walk_provider
from tests.browser.sign_in_walk import sign_in_portal, sign_out, walk_sign_in

pytestmark = NEEDS_CHROMIUM

STRANGE_PAGE = """<form method=post action="{}"><input name=csrf value=guessed>
<button>Win a prize</button></form>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_no_page_of_the_sign_in_is_wider_than_the_window(browser: Browser, width: int) -> None:
    faults: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        ignore_https_errors=True,  # the provider's authority is its own
    )
    page = context.new_page()
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))

    def look(name: str, page: Page) -> None:
        widest = page.evaluate("document.documentElement.scrollWidth")
        assert widest <= width, f"{name} is {widest} px wide"
        assert page.locator("h1").count() == 1, name

    with sign_in_portal() as portal:
        walk_sign_in(page, portal, look)
    with provider_portal() as portal:
        walk_provider(page, portal, look)
    assert [one for one in faults if "status of 4" not in one] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_way(browser: Browser, scheme: Literal["light", "dark"]) -> None:
    context = browser.new_context(
        color_scheme=scheme,
        bypass_csp=True,  # it runs in the page
        ignore_https_errors=True,
    )
    found: list[str] = []

    def look(name: str, page: Page) -> None:
        result = Axe().run(page).response
        found.extend(
            f"{name}: {one['id']}: {one['nodes'][0]['html']}" for one in result["violations"]
        )

    with sign_in_portal() as portal:
        walk_sign_in(context.new_page(), portal, look)
    with provider_portal() as portal:
        walk_provider(context.new_page(), portal, look)
    assert found == []


def test_the_sign_in_needs_no_script(browser: Browser) -> None:
    seen: list[str] = []
    context = browser.new_context(java_script_enabled=False, ignore_https_errors=True)
    with sign_in_portal() as portal:
        walk_sign_in(context.new_page(), portal, lambda name, _page: seen.append(name))
    assert seen[-1] == "link-over"
    with provider_portal() as portal:
        walk_provider(context.new_page(), portal, lambda name, _page: seen.append(name))
    assert seen[-1] == "provider-refused"


def test_a_step_up_brings_the_question_back_with_selection_and_reason(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_page, "STEP_UP_FROM", 0)
    with sign_in_portal() as portal:
        people, page = portal.people, browser.new_context().new_page()
        page.goto(f"{portal.address}/invitation/{portal.secret}")
        key = key_on(page.content())
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("Repeat password").fill(PASSWORD)
        page.get_by_label("The six digits").fill(code_at(key, step_at(people.now)))
        page.get_by_role("button", name="Set up and sign in").click()
        people.now += 600
        page.goto(f"{portal.address}/queue?recipient=anna*")
        page.get_by_label("Act on").select_option("all")
        page.get_by_role("button", name="Delete").click()
        _confirm(page, code_at(key, step_at(people.now)))
        assert page.get_by_role("heading", level=1).inner_text() == "Delete 1 message?"
        assert page.get_by_role("status").count() == 0
        people.now += 600
        page.get_by_label("Reason").fill('spam "wave" <b>')
        page.get_by_role("button", name="Delete").click()
        _confirm(page, code_at(key, step_at(people.now)))
        assert "Nothing has been done yet" in page.get_by_role("status").inner_text()
        assert page.get_by_label("Reason").input_value() == 'spam "wave" <b>'
        assert "all mail to anna*" in page.content()
        page.get_by_role("button", name="Delete").click()
        assert page.get_by_role("status").inner_text() == "1 message was deleted."


def _confirm(page: Page, code: str) -> None:
    assert page.get_by_role("heading", level=1).inner_text() == "Confirm that it is you"
    page.get_by_label("One-time code").fill(code)
    page.get_by_role("button", name="Confirm").click()


def test_a_customer_releases_mail_on_a_running_server(browser: Browser) -> None:
    context = browser.new_context()
    with SmtpSink() as sink, Installation() as restante:
        sink.start()
        restante.hosts("alpha.example", at(sink))
        restante.start()
        options = ("--account", "alpha", "--role", "account-admin")
        link = restante.do("user", "invite", "ana@alpha.example", *options).splitlines()[-1]
        send(restante.mx, "anna@alpha.example", content=message("browser"))
        page = context.new_page()
        page.goto(link)
        key = key_on(page.content())
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("Repeat password").fill(PASSWORD)
        now = page.evaluate("Date.now() / 1000")
        page.get_by_label("The six digits").fill(code_at(key, step_at(now)))
        page.get_by_role("button", name="Set up and sign in").click()
        page.get_by_role("link", name="I have saved them").click()
        _see_cookie(context)
        _be_attacked(context, f"http://{HOST}:{restante.web_port}")
        page.get_by_role("button", name="Release now").click()
        sink.wait_for(1)
        sign_out(page)
        assert page.get_by_role("status").inner_text() == "You are signed out."
        page.go_back()
        page.reload()
        assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
        assert [one for one in context.cookies() if one["name"] == COOKIE] == []


def _see_cookie(context: BrowserContext) -> None:
    [cookie] = [one for one in context.cookies() if one["name"] == COOKIE]
    assert cookie["httpOnly"]
    assert cookie["secure"]
    assert cookie["sameSite"] == "Lax"


def _be_attacked(context: BrowserContext, web_origin: str) -> None:
    """Visit another site, which has a form for the portal, and frames it."""
    page = context.new_page()
    strange = web_origin.replace(HOST, "localhost")  # another site, with the same server behind it
    action = f"{web_origin}/profile/sign-out-everywhere"
    page.route(
        f"{strange}/**",
        lambda route: route.fulfill(content_type="text/html", body=STRANGE_PAGE.format(action)),
    )
    page.goto(f"{strange}/")
    with page.expect_response(action) as answered:
        page.get_by_role("button", name="Win a prize").click()
    assert answered.value.status == 403
    page.goto(f"{strange}/")
    page.evaluate(f"document.body.innerHTML = '<iframe src=\"{web_origin}/\"></iframe>'")
    page.wait_for_timeout(300)
    assert all("Release" not in frame.content() for frame in page.frames)
    page.close()
    still = context.new_page()
    still.goto(f"{web_origin}/")
    assert still.get_by_role("button", name="Release now").count() == 1
    still.close()
