"""Writes a picture of every page, wide and narrow, light and dark: `make screenshots`."""

import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page

from restante.mail.message import message_name
from tests.admin.admin_world import NOW
from tests.browser.chromium import chromium
from tests.browser.provider_walk import provider_portal, walk_provider
from tests.browser.sample_portal import DIRECTOR, sample_admin, serving, today
from tests.browser.sign_in_walk import sign_in_portal, walk_sign_in
from tests.web.portal.visitors import OPERATOR

FOLDER: Final = Path("screenshots")
PAGES: Final = {
    "overview": "/",
    "domain": "/domains/alpha.example",
    "domain-away": "/domains/shop.alpha.example",
    "recipients": "/domains/alpha.example/recipients",
    "policy": "/domains/alpha.example/policy",
    "setup": "/domains/alpha.example/setup",
    "check": "/domains/alpha.example/check",
    "dns": "/domains/alpha.example/dns",
    "direction": "/domains/alpha.example/direction",
    "direction-waits": "/domains/old-branch-office.alpha.example/direction",
    "domain-waits": "/domains/old-branch-office.alpha.example",
    "queue": "/queue",
    "message": f"/messages/{message_name(41)}",
    "message-gone": f"/messages/{message_name(47)}",
    "refused": "/refused",
    "search": f"/search?recipient=*shop*&since={today()}",
    "search-empty": "/search",
    "releases": "/releases",
    "release": f"/releases/{message_name(900)}",
    "audit": "/audit",
    "notices": "/notices",
    "access": "/access",
    "login": "/access/login?account=alpha&user=alpha-mail",
    "usage": "/usage",
    "users": "/users",
    "not-found": "/domains/foreign.example",
}
# Without a recent factor.
STALE_PAGES: Final = {
    "direction-stale": "/domains/alpha.example/direction",
    "access-stale": "/access",
    "users-stale": "/users",
}
OPERATORS_PAGES: Final = {
    "operator": "/",
    "operator-audit": "/audit",
    "operator-access": "/access?account=alpha",
    "operator-users": "/users",
    "operator-policy": "/domains/shop.alpha.example/policy",
    "operator-direction": "/domains/old-branch-office.alpha.example/direction",
}
SIZES: Final = {"wide": (1280, "light"), "narrow": (390, "light"), "dark": (1280, "dark")}


def main(folder: Path = FOLDER) -> None:
    """Write them all."""
    folder.mkdir(exist_ok=True)
    admin = sample_admin()
    with chromium() as browser:
        with serving(admin, DIRECTOR) as address:
            _take(browser, address, PAGES, folder)
        with serving(admin, DIRECTOR, fresh_until=NOW - 1) as address:
            _take(browser, address, STALE_PAGES, folder)
        with serving(admin, OPERATOR) as address:
            _take(browser, address, OPERATORS_PAGES, folder)
        for size, (width, scheme) in SIZES.items():
            _take_sign_in(browser, folder, size, width, scheme)
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} pictures are in {folder}/\n")


def _take_sign_in(browser: Browser, folder: Path, size: str, width: int, scheme: str) -> None:
    def take(name: str, page: Page) -> None:
        page.screenshot(path=folder / f"{name}-{size}.png", full_page=True)

    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        ignore_https_errors=True,  # the provider's authority is its own
    )
    with sign_in_portal() as portal:
        walk_sign_in(context.new_page(), portal, take)
    with provider_portal() as provided:
        walk_provider(context.new_page(), provided, take)
    context.close()


def _take(browser: Browser, address: str, pages: dict[str, str], folder: Path) -> None:
    for size, (width, scheme) in SIZES.items():
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page = context.new_page()
        for name, path in pages.items():
            page.goto(address + path)
            page.screenshot(path=folder / f"{name}-{size}.png", full_page=True)
        context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
