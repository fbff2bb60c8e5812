"""A form that came too late for its factor is shown again, and sent by its button alone."""

import asyncio

import pytest

from tests.admin.portal_people import PASSWORD, People
from tests.web.portal.browsers import Browser, hidden_fields
from tests.web.portal.visitors import ALPHA, CSRF, hosting, visit


def test_the_form_is_shown_and_not_carried_out() -> None:
    admin = hosting()
    form = {"account": "alpha", "email": "<b>@alpha.example", "role": "account-reader"}
    text = visit(admin, "/repeat?to=/users/invite", ALPHA, form=form).text
    assert "Nothing has been done yet" in text
    assert 'action="/users/invite"' in text
    assert 'href="/users?account=alpha"' in text
    assert "<b>@" not in text
    shown = form | {"email": "&lt;b&gt;@alpha.example", "csrf": CSRF}
    assert {name: hidden_fields(text)[name] for name in shown} == shown
    assert not admin.context.directory.now.portal_users


def test_an_empty_form_that_was_kept_shows_nothing_of_the_step_up() -> None:
    form = {"kept": "", "password": "secret of anna", "code": "123456"}
    text = visit(hosting(), "/repeat?to=/users/invite", ALPHA, form=form).text
    assert "Nothing has been done yet" in text
    assert "secret of anna" not in text
    assert "123456" not in text


@pytest.mark.parametrize(
    "action", ["", "/queue/carry-out", "//e.example/users/invite", "/domains/a/b/hosts", "/users"]
)
def test_other_addresses_are_unknown(action: str) -> None:
    assert visit(hosting(), f"/repeat?to={action}", ALPHA, form={"a": "b"}).status_code == 404


def test_secrets_are_typed_again_and_never_shown() -> None:
    async def story() -> None:
        people = People()
        browser = Browser(people)
        await people.set_up()
        await browser.sign_in(code=people.code())
        form = {"csrf": "old", "present": PASSWORD, "password": "another one", "sealed": "s1"}
        sent = await browser.send("/profile/password", None, **form)
        page = await browser.send(sent.headers["location"], None, **form)
        assert 'action="/profile/password"' in page.text
        assert 'name="present" type="password" required' in page.text
        assert "another one" not in page.text
        assert PASSWORD not in page.text
        assert hidden_fields(page.text)["sealed"] == "s1"
        assert "<dt>Sealed</dt>" not in page.text
        assert 'href="/profile"' in page.text

    asyncio.run(story())


@pytest.mark.parametrize(
    ("action", "back"),
    [
        ("/domains/alpha.example/hosts", "/domains/alpha.example"),
        ("/domains/alpha.example/changes/1/cancel", "/domains/alpha.example"),
        ("/access/logins/password", "/access"),
        ("/notices/pager/again", "/notices"),
    ],
)
def test_a_cancellation_leads_to_the_page_above(action: str, back: str) -> None:
    text = visit(hosting(), f"/repeat?to={action}", ALPHA, form={"reason": "x"}).text
    assert f'href="{back}">Cancel' in text
