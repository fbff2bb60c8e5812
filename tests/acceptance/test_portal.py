"""The portal from outside: from the invitation to the release of mail, and nothing for strangers.

Each one-time code counts once. So a test that needs several signs in by the code of the next step,
and by recovery codes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import pytest

from restante.tenancy.one_time_codes import code_at, step_at
from tests.acceptance.installation import ALPHA, HOST, Installation, at
from tests.acceptance.peers.sink import SmtpSink
from tests.acceptance.portal_browser import PortalBrowser, hidden_fields, key_on, recovery_codes_on
from tests.acceptance.sample import message, send

PASSWORD: Final = "korb stiefel mond"
ROOT: Final = "root@mx2.example.net"
DOMAIN: Final = "alpha.example"


@dataclass
class Person:
    """A user with an app for one-time codes."""

    email: str
    key: str
    recovery_codes: list[str]


@pytest.fixture(scope="module")
def sink() -> Iterator[SmtpSink]:
    """The primary of alpha."""
    with SmtpSink() as sink:
        sink.start()
        yield sink


@pytest.fixture(scope="module")
def restante(sink: SmtpSink) -> Iterator[Installation]:
    """An installation with a domain of alpha, whose mail waits."""
    with Installation() as restante:
        restante.hosts(DOMAIN, at(sink))
        restante.start()
        yield restante


@pytest.fixture
def browser(restante: Installation) -> Iterator[PortalBrowser]:
    """A browser that has no cookie."""
    with PortalBrowser(web_origin(restante)) as browser:
        yield browser


@pytest.fixture(scope="module")
def root(restante: Installation) -> Person:
    """The operator, who has signed in once."""
    with PortalBrowser(web_origin(restante)) as browser:
        return enrolled(restante, browser, ROOT, "--role", "operator")


def web_origin(restante: Installation) -> str:
    return f"http://{HOST}:{restante.web_port}"


def enrolled(restante: Installation, browser: PortalBrowser, email: str, *options: str) -> Person:
    """Invite a person, who opens the link, and sets up a password and an app."""
    link = restante.do("user", "invite", email, *options).splitlines()[-1]
    path = urlsplit(link).path
    assert path.startswith("/invitation/")
    page = browser.get(path)
    assert (page.status_code, email in page.text) == (200, True)
    key = key_on(page.text)
    code = code_at(key, step_at(time.time()))
    done = browser.send(path, page, password=PASSWORD, repeated=PASSWORD, code=code)
    assert done.status_code == 200, done.text
    return Person(email, key, recovery_codes_on(done.text))


def sign_in(browser: PortalBrowser, person: Person, code: str) -> int:
    """Return the status of a sign-in."""
    page = browser.get("/sign-in")
    form = {"email": person.email, "password": PASSWORD, "code": code}
    return browser.send("/sign-in", page, **form).status_code


def test_from_the_invitation_to_the_release_of_mail(
    restante: Installation, sink: SmtpSink, browser: PortalBrowser
) -> None:
    email = "ana@alpha.example"
    ana = enrolled(restante, browser, email, "--account", "alpha", "--role", "account-admin")
    assert len(ana.recovery_codes) == 10
    browser.cookie = ""
    assert browser.get("/").headers["location"] == "/sign-in"
    assert sign_in(browser, ana, code_at(ana.key, step_at(time.time()) + 1)) == 303

    send(restante.mx, f"anna@{DOMAIN}", content=message("portal"))
    overview = browser.get("/")
    assert overview.status_code == 200
    assert "1 message held" in overview.text
    released = browser.send(f"/domains/{DOMAIN}/release", overview)
    assert released.status_code == 303
    sink.wait_for(1)
    [release] = restante.shown("audit", "--action", "release-requested", "--json")
    assert release["actor"] == f"user {email} (alpha)"
    assert release["acted_from"] == HOST

    signed_out = browser.send("/sign-out", browser.get("/"))
    assert signed_out.headers["location"] == "/sign-in"
    assert browser.get("/").headers["location"] == "/sign-in"
    actions = [one["action"] for one in restante.shown("audit", "--json")]
    assert actions.count("signed-in") == 1
    assert restante.shown("user", "list", "--json")[0]["second_factors"] == ["one-time-code"]


def test_a_stranger_opens_nothing_and_is_told_nothing(
    restante: Installation, root: Person, browser: PortalBrowser
) -> None:
    for path in ("/", "/queue", f"/domains/{DOMAIN}", "/profile", "/audit"):
        answer = browser.get(path)
        assert answer.status_code == 303
        assert DOMAIN not in answer.text
    assert browser.send(f"/domains/{DOMAIN}/release").status_code == 401
    known, unknown = (
        browser.send("/sign-in", email=email, password="a wrong password", code="000000")
        for email in (root.email, "nobody@mx2.example.net")
    )
    assert known.status_code == unknown.status_code == 403
    assert known.text.replace(root.email, "") == unknown.text.replace("nobody@mx2.example.net", "")
    refused = restante.wait_for_event("sign-in-refused", portal_user="nobody@mx2.example.net")
    assert refused["reason"] == "no such user, or never signed in"
    assert restante.wait_for_event("sign-in-refused", portal_user=root.email)["peer"] == HOST


def test_a_code_opens_the_portal_once(
    restante: Installation, root: Person, browser: PortalBrowser
) -> None:
    with PortalBrowser(web_origin(restante)) as thief:
        code = root.recovery_codes[0]
        assert sign_in(browser, root, code) == 303
        assert sign_in(thief, root, code) == 403
        assert thief.cookie == ""


def test_a_session_survives_a_restart_and_ends_with_its_user(
    restante: Installation, browser: PortalBrowser
) -> None:
    email = "bert@alpha.example"
    enrolled(restante, browser, email, "--account", "alpha", "--role", "account-reader")
    restante.stop()
    restante.start()
    assert browser.get("/").status_code == 200
    assert browser.get("/").status_code == 200
    assert browser.send(f"/domains/{DOMAIN}/release", browser.get("/profile")).status_code == 403
    restante.do("user", "remove", email, "--reason", "has left")
    assert browser.get("/").status_code == 303


def test_another_site_acts_for_nobody(
    restante: Installation, root: Person, browser: PortalBrowser
) -> None:
    assert sign_in(browser, root, root.recovery_codes[1]) == 303
    token = hidden_fields(browser.get("/profile").text)["csrf"]
    released = restante.shown("audit", "--action", "release-requested", "--json")
    for path in (f"/domains/{DOMAIN}/release", "/sign-out", "/profile/sign-out-everywhere"):
        assert browser.forge(path, csrf=token).status_code == 403
        guessed = browser.send(path, csrf="guessed")
        is_shown_again = guessed.headers.get("location") == f"/repeat?to={path}"
        assert (guessed.status_code, is_shown_again) in ((403, False), (307, True))
    assert browser.get("/").status_code == 200
    assert restante.shown("audit", "--action", "release-requested", "--json") == released


def test_a_link_is_good_once_and_no_log_has_its_secret(
    restante: Installation, browser: PortalBrowser
) -> None:
    email = "carl@alpha.example"
    options = ("--account", "alpha", "--role", "account-reader")
    link = restante.do("user", "invite", email, *options).splitlines()[-1]
    path = urlsplit(link).path
    for _ in range(3):  # a mail filter opens links
        assert browser.get(path).status_code == 200
    page = browser.get(path)
    form = {"password": PASSWORD, "repeated": PASSWORD}
    assert browser.send(path, page, **form).status_code == 303
    assert browser.get(path).status_code == 404
    secret = path.rpartition("/")[2]
    assert secret not in restante.log_path.read_text()
    assert secret not in restante.do("audit", "--json")
    assert PASSWORD not in restante.log_path.read_text()


def test_guesses_at_the_portal_do_not_stop_mail_servers(
    restante: Installation, root: Person, browser: PortalBrowser
) -> None:
    """The last one here: the address waits for a quarter of an hour then."""
    statuses = [
        browser.send("/sign-in", email=f"user{number}@mx2.example.net", password="x").status_code
        for number in range(30)
    ]
    assert 429 in statuses
    assert sign_in(browser, root, root.recovery_codes[2]) == 429
    send(restante.mx, f"anna@{DOMAIN}", content=message("beside guesses"))
    assert restante.etrn(DOMAIN, login=ALPHA).returncode == 0
