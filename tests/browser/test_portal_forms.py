"""The forms of critical changes in a real browser, by each kind of person."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from restante.tenancy.client_certificates import read_login_certificates
from restante.tenancy.grants import GrantedRole
from restante.tenancy.principal import Principal
from tests.admin.admin_world import NOW, AdminWorld
from tests.browser.chromium import NEEDS_CHROMIUM, chromium
from tests.browser.sample_portal import CERTIFICATE, DIRECTOR, sample_admin, serving
from tests.web.portal.visitors import ALPHA, OPERATOR, user_of

pytestmark = NEEDS_CHROMIUM

KEY = read_login_certificates(CERTIFICATE)[0].key
READER = user_of("", GrantedRole.OPERATOR_READER)
DIRECTION = "/domains/alpha.example/direction"
FORMS = {
    DIRECTION: "Change destination",
    "/access?account=alpha": "Add login",
    "/users?account=alpha": "Invite",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def admin() -> AdminWorld:
    return sample_admin()


def found_by(work: Callable[[], object]) -> object:
    """Return the result of work in a thread: Playwright has an event loop in this one."""
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def waiting(admin: AdminWorld) -> object:
    """Return the parts of alpha.example that wait."""
    changes = found_by(lambda: asyncio.run(admin.store.schedule.waiting_changes()))
    assert isinstance(changes, list)
    return [one.parts_text for one in changes if one.domain == "alpha.example"]


def page_of(browser: Browser, *, scripts: bool = True) -> Page:
    return browser.new_context(java_script_enabled=scripts).new_page()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_account_asks_for_a_destination_which_waits_and_is_cancelled(
    browser: Browser, admin: AdminWorld, *, scripts: bool
) -> None:
    with serving(admin, DIRECTOR) as address:
        page = page_of(browser, scripts=scripts)
        page.goto(address + DIRECTION)
        page.get_by_label("Host or address, with port").fill("mail2.alpha.example")
        page.get_by_label("Reason, for the audit trail").first.fill("a new server")
        page.get_by_role("button", name="Change destination").click()
        assert page.get_by_role("heading", name="Waiting changes").is_visible()
        assert waiting(admin) == ["destination"]
        page.get_by_role("button", name="Cancel").first.click()
        assert waiting(admin) == []
        page.goto(address + DIRECTION)
        page.get_by_label("Addresses, networks and host names").fill("192.0.2.1\nmx.alpha.example")
        page.get_by_role("button", name="Change hosts").click()
        assert waiting(admin) == ["authorized hosts"]


def test_an_operator_changes_a_destination_at_once(browser: Browser, admin: AdminWorld) -> None:
    with serving(admin, OPERATOR) as address:
        page = page_of(browser)
        page.goto(address + DIRECTION)
        page.get_by_label("Host or address, with port").fill("mail2.alpha.example:2525")
        page.get_by_role("button", name="Change destination").click()
        assert "mail2.alpha.example:2525" in page.locator("main").inner_text()
        assert waiting(admin) == []


def test_a_destination_that_is_no_public_address_is_refused_with_its_reason(
    browser: Browser, admin: AdminWorld
) -> None:
    with serving(admin, DIRECTOR) as address:
        page = page_of(browser)
        page.goto(address + DIRECTION)
        page.get_by_label("Host or address, with port").fill("10.0.0.1")
        page.get_by_role("button", name="Change destination").click()
        assert "no public address" in page.locator("main").inner_text()
        assert waiting(admin) == []


@pytest.mark.parametrize("principal", [ALPHA, OPERATOR], ids=["account admin", "operator"])
def test_logins_and_tokens_are_made_shown_once_and_ended(
    browser: Browser, admin: AdminWorld, principal: Principal
) -> None:
    with serving(admin, principal) as address:
        page = page_of(browser)
        page.goto(f"{address}/access?account=alpha")
        page.get_by_label("User name for a new login").fill("alpha-second")
        page.get_by_role("button", name="Add login").click()
        secret = page.locator("main code").first.inner_text()
        assert len(secret) > 15
        assert "alpha-second" in admin.context.directory.now.logins
        page.goto(f"{address}/access?account=alpha")
        assert secret not in page.content()
        page.get_by_role("link", name="alpha-second").click()
        page.get_by_role("button", name="Allow turnarounds").click()
        page.get_by_label("Certificate, as PEM text").fill(CERTIFICATE)
        page.get_by_role("button", name="Add certificate").click()
        page.get_by_role("cell", name=KEY).wait_for()
        login = admin.context.directory.now.logins["alpha-second"]
        assert login.turnaround
        assert login.may_turn(NOW) is (principal is OPERATOR)
        page.goto(f"{address}/access?account=alpha")
        page.get_by_label("Name for a new token").fill("ci")
        page.locator("input[name=grant][value=release]").check()
        page.get_by_role("button", name="Add token").click()
        text = page.locator("main code").first.inner_text()
        assert text.startswith("rst_")
        page.goto(f"{address}/access?account=alpha")
        assert text not in page.content()
        row = page.get_by_role("row", name="ci ")
        row.locator("summary").click()
        row.get_by_label("Reason").fill("tests")
        row.get_by_role("button", name="Revoke").click()
        [token] = [one for one in admin.context.directory.now.tokens.values() if one.name == "ci"]
        assert token.revoked_at is not None


@pytest.mark.parametrize("path", FORMS)
def test_without_a_recent_factor_there_is_a_way_to_show_one_and_no_form(
    browser: Browser, admin: AdminWorld, path: str
) -> None:
    with serving(admin, DIRECTOR, fresh_until=NOW - 1) as address:
        page = page_of(browser)
        page.goto(address + path)
        link = page.get_by_role("link", name="Confirm")
        assert (link.get_attribute("href") or "").startswith("/step-up?next=")
        assert page.locator("main form[method=post]").count() == 0


@pytest.mark.parametrize("path", FORMS)
def test_a_reader_has_no_form_that_changes_anything(
    browser: Browser, admin: AdminWorld, path: str
) -> None:
    with serving(admin, READER) as address:
        page = page_of(browser)
        page.goto(address + path)
        assert page.locator("h1").count() == 1
        assert page.locator("main form[method=post]").count() == 0


@pytest.mark.parametrize("path", FORMS)
def test_a_stranger_is_sent_to_the_sign_in_and_nowhere_else(
    browser: Browser, admin: AdminWorld, path: str
) -> None:
    with serving(admin, None) as address:
        page = page_of(browser)
        page.goto(address + path)
        assert page.url.startswith(f"{address}/sign-in")
        assert "alpha" not in page.locator("body").inner_text()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_form_of_another_page_does_nothing(
    browser: Browser, admin: AdminWorld, *, scripts: bool
) -> None:
    with serving(admin, DIRECTOR) as address:
        page = page_of(browser, scripts=scripts)
        page.set_content(
            f'<form method=post action="{address}/domains/alpha.example/destination">'
            "<input name=destination value=203.0.113.9><button>Win a prize</button></form>"
        )
        page.get_by_role("button").click()
        assert "did not come from an open page of this portal" in page.content()
        assert waiting(admin) == []
        destination = admin.context.directory.now.domains["alpha.example"].destination
        assert destination.host == "mail.alpha.example"
