"""The table of a walk through the portal: each route, and the page that each person finds."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Page
from starlette.applications import Starlette
from starlette.routing import Route

from restante.mail.message import message_name
from restante.tenancy.client_certificates import read_login_certificates
from restante.tenancy.grants import GrantedRole
from tests.admin.portal_people import PASSWORD, ROOT, People
from tests.browser.sample_portal import (
    CERTIFICATE,
    MONITORING,
    sample_admin,
    serving_application,
    today,
)
from tests.browser.sign_in_walk import in_a_loop_of_its_own
from tests.web.portal.browsers import portal_of

OPERATOR: Final = ROOT
READER: Final = "rita@mx.example"  # an operator who only reads
ADMIN: Final = "anna@alpha.example"  # of an account
STRANGER: Final = ""
VISITORS: Final = (OPERATOR, READER, ADMIN, STRANGER)

SIGN_IN: Final = "to the sign-in"
OVERVIEW: Final = "to the overview"
NOT_FOUND: Final = "Not found"
NOT_ALLOWED: Final = "Not allowed"
PART: Final = "a part of a page"  # without a heading


@dataclass(frozen=True)
class WalkedPage:
    """A page: its route, an address, and its heading, or one of the texts above, by visitor."""

    route: str
    path: str
    found: str  # by everybody who is signed in
    by_stranger: str = SIGN_IN
    by_operators: str = ""  # if they find something else
    by_admin: str = ""  # the same
    by_reader: str = ""  # the same, if they find something else than other operators
    status: int = 200

    def expected(self, visitor: str) -> str:
        """Return what a visitor must find."""
        if visitor == STRANGER:
            return self.by_stranger
        if visitor == READER and self.by_reader:
            return self.by_reader
        other = self.by_admin if visitor == ADMIN else self.by_operators
        return other or self.found


def _own(path: str, found: str, by_stranger: str = SIGN_IN, status: int = 200) -> WalkedPage:
    return WalkedPage(path, path, found, by_stranger, status=status)


_DOMAIN: Final = "/domains/{name}"
_ALPHA: Final = "/domains/alpha.example"
_NAMED: Final = "account=alpha&user=alpha-mail"
_SOME_TOKEN: Final = f"account=alpha&id={MONITORING.id}"
_MOVING: Final = "/domains/old-branch-office.alpha.example"
PAGES: Final = (
    _own("/sign-in", OVERVIEW, "Sign in"),
    WalkedPage("/invitation/{secret}", "/invitation/x", "Invitation", "Invitation", status=404),
    WalkedPage("/portal-link/{secret}", "/portal-link/x", "Link", "Link", status=404),
    _own("/sign-in/provider", "Sign in", "Sign in", 403),
    _own("/sign-in/provider/back", "Sign in", "Sign in", 403),
    _own("/step-up", OVERVIEW),
    _own("/step-up/done", "Confirmed"),
    _own("/step-up/provider", "Confirm that it is you", status=403),
    _own("/profile", "Profile and sessions"),
    _own("/profile/code", "One-time codes"),
    _own("/profile/passkeys", "Passkeys"),
    _own("/", "Overview"),
    WalkedPage("/", "/?account=alpha", "alpha"),
    WalkedPage("/", "/?find=alpha", "Accounts and domains", by_admin="Overview"),
    WalkedPage(_DOMAIN, _ALPHA, "alpha.example answers"),
    WalkedPage(_DOMAIN, "/domains/shop.alpha.example", "shop.alpha.example away"),
    WalkedPage(_DOMAIN, "/domains/beta.example", "beta.example not known", by_admin=NOT_FOUND),
    WalkedPage(_DOMAIN, "/domains/nobody.example", NOT_FOUND),
    WalkedPage(f"{_DOMAIN}/drain", f"{_ALPHA}/drain", PART),
    WalkedPage(f"{_DOMAIN}/direction", f"{_ALPHA}/direction", "Destination of alpha.example"),
    WalkedPage(f"{_DOMAIN}/direction", f"{_MOVING}/direction", "Destination of old-branch-office"),
    WalkedPage(f"{_DOMAIN}/policy", f"{_ALPHA}/policy", "Policy of alpha.example"),
    WalkedPage(f"{_DOMAIN}/setup", f"{_ALPHA}/setup", "Set up the primary of alpha.example"),
    WalkedPage(f"{_DOMAIN}/dns", f"{_ALPHA}/dns", "DNS of alpha.example"),
    WalkedPage(f"{_DOMAIN}/check", f"{_ALPHA}/check", "Check alpha.example", by_reader=NOT_ALLOWED),
    WalkedPage(f"{_DOMAIN}/drill", f"{_ALPHA}/drill", "Drill alpha.example", by_reader=NOT_ALLOWED),
    WalkedPage(f"{_DOMAIN}/recipients", f"{_ALPHA}/recipients", "Recipients of alpha.example"),
    _own("/queue", "Queue"),
    WalkedPage("/queue", "/queue?recipient=nobody*", "Queue"),
    _own("/queue/confirm", "Queue"),
    WalkedPage("/messages/{name}", f"/messages/{message_name(41)}", "Message"),
    WalkedPage("/messages/{name}", f"/messages/{message_name(47)}", "Message"),
    _own("/refused", "Refused"),
    _own("/search", "Search"),
    WalkedPage("/search", f"/search?recipient=*shop*&since={today()}", "Search"),
    _own("/releases", "Releases"),
    WalkedPage("/releases/{release}", f"/releases/{message_name(900)}", "Release of alpha.example"),
    _own("/audit", "Audit"),
    _own("/notices", "Notices"),
    _own("/access", "Access"),
    WalkedPage("/access", "/access?account=alpha", "Access"),
    WalkedPage("/access/login", f"/access/login?{_NAMED}", "Login alpha-mail"),
    WalkedPage(
        "/access/tokens/made",
        f"/access/tokens/made?{_SOME_TOKEN}",
        "Made by token monitoring",
        by_reader=NOT_ALLOWED,
    ),
    _own("/usage", "Usage"),
    WalkedPage("/usage", "/usage?account=alpha", "Usage"),
    _own("/users", "People"),
)
FILES: Final = frozenset({"/static/{name}", "/usage.csv"})  # not pages


@dataclass(frozen=True)
class WalkedForm:
    """A form that acts: its route, an address, and fields that would make it act."""

    route: str
    path: str
    fields: Mapping[str, str] = field(default_factory=dict)


_MESSAGE: Final = {"name": message_name(41), "scope": "ticked", "reason": "walked"}
_LOGIN: Final = {"account": "alpha", "user": "alpha-mail", "reason": "walked"}
_TURNING: Final = _LOGIN | {"turnaround": "no"}
_PEM: Final = {"pem": CERTIFICATE}
_KEY: Final = read_login_certificates(CERTIFICATE)[0].key
_REVOKED: Final = {"account": "alpha", "id": MONITORING.id, "name": "monitoring", "reason": "x"}
_PERSON: Final = {"account": "alpha", "email": "ben@alpha.example", "role": "account-reader"}
FORMS: Final = (
    WalkedForm(f"{_DOMAIN}/release", f"{_ALPHA}/release"),
    WalkedForm(f"{_DOMAIN}/check", f"{_ALPHA}/check"),
    WalkedForm(f"{_DOMAIN}/drill", f"{_ALPHA}/drill"),
    WalkedForm(f"{_DOMAIN}/drill/arrival", f"{_ALPHA}/drill/arrival", {"header": "Subject: x"}),
    WalkedForm(f"{_DOMAIN}/destination", f"{_ALPHA}/destination", {"destination": "9.9.9.9"}),
    WalkedForm(f"{_DOMAIN}/hosts", f"{_ALPHA}/hosts", {"hosts": "9.9.9.9"}),
    WalkedForm(f"{_DOMAIN}/policy", f"{_ALPHA}/policy", {"hold": "relay"}),
    WalkedForm(f"{_DOMAIN}/suspend", f"{_ALPHA}/suspend", {"reason": "walked"}),
    WalkedForm(f"{_DOMAIN}/recipients", f"{_ALPHA}/recipients", {"do": "add", "names": "walked"}),
    WalkedForm(f"{_DOMAIN}/changes/{{number}}/cancel", f"{_MOVING}/changes/1/cancel"),
    WalkedForm(f"{_DOMAIN}/changes/{{number}}/apply", f"{_MOVING}/changes/1/apply"),
    WalkedForm("/queue/confirm", "/queue/confirm", _MESSAGE | {"action": "delete"}),
    WalkedForm("/queue/carry-out", "/queue/carry-out", _MESSAGE | {"action": "delete"}),
    WalkedForm("/queue/carry-out", "/queue/carry-out", _MESSAGE | {"action": "bounce"}),
    WalkedForm("/queue/carry-out", "/queue/carry-out", _MESSAGE | {"action": "release"}),
    WalkedForm("/messages/{name}/raw", f"/messages/{message_name(41)}/raw", {"reason": "walked"}),
    WalkedForm("/notices/{channel}/test", "/notices/pager/test", {"account": "alpha"}),
    WalkedForm("/notices/{channel}/again", "/notices/pager/again", {"account": "alpha", "id": "1"}),
    WalkedForm("/access/logins", "/access/logins", {"account": "alpha", "user": "walked"}),
    WalkedForm("/access/logins/password", "/access/logins/password", _LOGIN),
    WalkedForm("/access/logins/remove", "/access/logins/remove", _LOGIN),
    WalkedForm("/access/login/turnaround", "/access/login/turnaround", _TURNING),
    WalkedForm("/access/login/certificate", "/access/login/certificate", _LOGIN | _PEM),
    WalkedForm(
        "/access/login/certificate/drop",
        "/access/login/certificate/drop",
        _LOGIN | {"fingerprint": _KEY},
    ),
    WalkedForm("/access/tokens", "/access/tokens", _REVOKED | {"grant": "release"}),
    WalkedForm("/access/tokens/revoke", "/access/tokens/revoke", _REVOKED),
    WalkedForm("/users/invite", "/users/invite", _PERSON | {"email": "zoe@alpha.example"}),
    WalkedForm("/users/role", "/users/role", _PERSON),
    WalkedForm("/users/remove", "/users/remove", _PERSON),
)
# Forms that everybody may send: they concern the own access, or change nothing.
OWN_FORMS: Final = frozenset(
    {
        "/sign-in",
        "/sign-out",
        "/sign-in/keep",
        "/sign-in/passkey",
        "/sign-in/passkey/options",
        "/invitation/{secret}",
        "/portal-link/{secret}",
        "/step-up",
        "/step-up/keep",
        "/step-up/passkey",
        "/step-up/passkey/options",
        "/profile/end-session",
        "/profile/sign-out-everywhere",
        "/profile/password",
        "/profile/recovery-codes",
        "/profile/code",
        "/profile/passkeys",
        "/profile/passkeys/options",
        "/profile/passkeys/rename",
        "/profile/passkeys/remove",
        "/profile/provider",
        "/profile/provider/unlink",
        "/queue/refresh",
        "/repeat",
        "/messages/{name}/ask",
    }
)


def routes_of(portal: Starlette, method: str) -> set[str]:
    """Return the paths of the portal's own table of routes."""
    routes = [one for one in portal.routes if isinstance(one, Route)]
    return {one.path for one in routes if method in (one.methods or ())}


@dataclass
class WalkedPortal:
    """The whole portal with its sign-in, on a port of loopback, and its people."""

    people: People
    portal: Starlette
    address: str

    def enter(self, browser: Browser, visitor: str, *, scripts: bool = True) -> BrowserContext:
        """Return a window of a visitor, who is signed in by the form unless a stranger."""
        context = browser.new_context(java_script_enabled=scripts)
        if visitor != STRANGER:
            self.people.now += 30  # each code is good once
            page = context.new_page()
            page.goto(f"{self.address}/sign-in")
            page.get_by_label("Email address").fill(visitor)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_label("One-time code").fill(self.people.code(visitor))
            page.get_by_role("button", name="Sign in", exact=True).click()
            assert page.locator("details.who > summary").inner_text() == visitor
            page.close()
        return context


@contextmanager
def walked_portal() -> Iterator[WalkedPortal]:
    """Serve it while the block runs."""
    people = People(sample_admin())

    async def fill() -> None:
        await people.set_up(OPERATOR)
        reader = {"account": "", "role": GrantedRole.OPERATOR_READER}
        await people.accept(await people.invite(READER, **reader))
        await people.accept(await people.invite(ADMIN))

    in_a_loop_of_its_own(fill())
    portal = portal_of(people)
    assert isinstance(portal, Starlette)
    with serving_application(portal) as address:
        yield WalkedPortal(people, portal, address)


def listening_for_faults(page: Page) -> list[str]:
    """Return a list that gets each error of a page: of scripts, of its policy, and of loading."""
    faults: list[str] = []
    page.on(
        "console",
        lambda line: faults.append(f"{page.url}: {line.text}") if line.type == "error" else None,
    )
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    return faults
