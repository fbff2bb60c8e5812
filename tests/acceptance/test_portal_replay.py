"""A one-time code and an answer of a passkey count once, also across a kill of the server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import pytest

from restante.tenancy.one_time_codes import code_at, step_at
from tests.acceptance.installation import Installation
from tests.acceptance.portal_browser import PortalBrowser
from tests.acceptance.test_portal import Person, enrolled, sign_in
from tests.tenancy.soft_authenticator import SoftAuthenticator

EMAIL: Final = "ana@alpha.example"
ROLE: Final = ("--account", "alpha", "--role", "account-admin")


@pytest.fixture
def restante() -> Iterator[Installation]:
    """A running server whose portal has a name, as passkeys need it."""
    with Installation() as restante:
        text = restante.config.read_text()
        url = f'[web]\nurl = "http://localhost:{restante.web_port}"\n'
        restante.config.write_text(f"{text}\n{url}")
        restante.start()
        yield restante


def web_origin(restante: Installation) -> str:
    return f"http://localhost:{restante.web_port}"


def kill(restante: Installation) -> None:
    """End the server as a power cut does, and start it again."""
    restante.kill()
    restante.start()


def test_a_one_time_code_that_was_used_is_refused_after_a_kill(restante: Installation) -> None:
    with (
        PortalBrowser(web_origin(restante)) as browser,
        PortalBrowser(web_origin(restante)) as thief,
    ):
        ana = invited(restante, browser)
        used = step_at(time.time()) + 1  # the newest step that is accepted
        browser.cookie = ""
        assert sign_in(browser, ana, code_at(ana.key, used)) == 303
        for each in (restante.kill, restante.stop):
            each()
            restante.start()
            assert sign_in(thief, ana, code_at(ana.key, used)) == 403
            assert sign_in(thief, ana, code_at(ana.key, used - 1)) == 403
            assert step_at(time.time()) <= used + 1, "the code could still have been good"
        assert thief.cookie == ""
        refused = restante.events("sign-in-refused", portal_user=EMAIL)
        assert {one["reason"] for one in refused} == {"wrong or missing one-time code"}
        assert sign_in(thief, ana, ana.recovery_codes[0]) == 303


def test_an_answer_of_a_passkey_is_refused_after_a_kill(restante: Installation) -> None:
    device = SoftAuthenticator(web_origin(restante))
    with (
        PortalBrowser(web_origin(restante)) as browser,
        PortalBrowser(web_origin(restante)) as thief,
    ):
        invited(restante, browser)
        made = browser.challenge("/profile/passkeys/options", "/profile/passkeys")
        page = browser.get("/profile/passkeys")
        answer = device.create(made)
        told = browser.send("/profile/passkeys", page, answer=answer, name="phone")
        assert told.headers["location"] == "/profile/passkeys"

        device.counter = 5
        answer = device.get(browser.challenge("/sign-in/passkey/options"))
        browser.cookie = ""
        assert browser.send("/sign-in/passkey", answer=answer).status_code == 303
        kill(restante)
        assert thief.send("/sign-in/passkey", answer=answer).status_code == 403
        device.counter = 5  # a copy of the key does not know how often it was used
        copied = device.get(thief.challenge("/sign-in/passkey/options"))
        assert thief.send("/sign-in/passkey", answer=copied).status_code == 403
        assert thief.cookie == ""
        device.counter = 6
        newer = device.get(thief.challenge("/sign-in/passkey/options"))
        assert thief.send("/sign-in/passkey", answer=newer).status_code == 303


def invited(restante: Installation, browser: PortalBrowser) -> Person:
    """Return a user who has just set up a password and an app."""
    return enrolled(restante, browser, EMAIL, *ROLE)
