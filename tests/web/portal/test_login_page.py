"""The page of a login: its turnaround and its certificates, with a recent factor only."""

import asyncio
from typing import Any

import pytest

from restante.admin.logins import add_generated_login
from restante.config.self_signed import new_ecdsa_key, self_signed_client
from restante.tenancy.grants import GrantedRole
from restante.tenancy.model import Login
from restante.web.portal.login_page import login_path
from tests.admin.admin_world import NOW, AdminWorld
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, user_of, visit

PAGE = login_path("alpha", "alpha-mail")
NAMED = {"account": "alpha", "user": "alpha-mail"}
PEM = self_signed_client("primary", new_ecdsa_key(), NOW).decode()
FORMS: dict[str, dict[str, str]] = {
    "/access/login/turnaround": {"turnaround": "yes"},
    "/access/login/certificate": {"pem": PEM},
}


@pytest.fixture
def admin() -> AdminWorld:
    """An admin world with a login, and a delay of changes."""
    admin = hosting()
    admin.set(change_delay=lambda: 3600.0)
    asyncio.run(add_generated_login(admin.context, "alpha", "alpha-mail"))
    return admin


def login_of(admin: AdminWorld) -> Login:
    return admin.context.directory.now.logins["alpha-mail"]


def test_the_right_is_given_later_and_taken_away_at_once(admin: AdminWorld) -> None:
    assert "ETRN only" in visit(admin, PAGE).text
    given = visit(admin, "/access/login/turnaround", form=NAMED | {"turnaround": "yes"})
    assert given.headers["location"] == PAGE
    assert login_of(admin).turnaround_at == NOW + 3600
    page = visit(admin, PAGE).text
    assert "allowed later" in page
    assert "Take the right away" in page
    visit(admin, "/access/login/turnaround", form=NAMED | {"turnaround": "no"})
    assert not login_of(admin).turnaround
    visit(admin, "/access/login/turnaround", OPERATOR, form=NAMED | {"turnaround": "yes"})
    assert login_of(admin).may_turn(NOW)
    assert ">ATRN<" in visit(admin, "/access").text


def test_certificates_are_added_shown_and_dropped(admin: AdminWorld) -> None:
    added = visit(admin, "/access/login/certificate", form=NAMED | {"pem": PEM})
    assert added.headers["location"] == PAGE
    [certificate] = login_of(admin).certificates
    page = visit(admin, PAGE).text
    assert certificate.key in page
    assert certificate.subject in page
    form = NAMED | {"fingerprint": certificate.key, "reason": "lost"}
    assert visit(admin, "/access/login/certificate/drop", form=form).status_code == 303
    assert login_of(admin).certificates == ()


def test_a_text_that_is_no_certificate_stays_on_the_page_with_the_cause(admin: AdminWorld) -> None:
    refused = visit(admin, "/access/login/certificate", form=NAMED | {"pem": "no <b>PEM</b>"})
    assert refused.status_code == 422
    assert "login alpha-mail: the certificate" in refused.text
    assert "no &lt;b&gt;PEM" in refused.text


def test_the_lines_do_the_same(admin: AdminWorld) -> None:
    page = visit(admin, PAGE).text
    for line in (
        "restante login set alpha alpha-mail --turnaround",
        "restante login certificate alpha alpha-mail --add FILE",
        "-X PATCH",
        "/v1/accounts/alpha/logins/alpha-mail",
        "--json @login.json",
    ):
        assert line in page


@pytest.mark.parametrize(("path", "fields"), FORMS.items(), ids=FORMS)
def test_without_a_recent_factor_nothing_changes(
    admin: AdminWorld, path: str, fields: dict[str, Any]
) -> None:
    before = login_of(admin)
    answer = visit(admin, path, form=NAMED | fields, fresh_until=NOW - 1)
    assert answer.status_code == 307
    assert login_of(admin) == before
    page = visit(admin, PAGE, fresh_until=NOW - 1).text
    assert "Confirm" in page
    assert 'action="/access/login' not in page


@pytest.mark.parametrize(("path", "fields"), FORMS.items(), ids=FORMS)
def test_readers_and_other_accounts_change_nothing(
    admin: AdminWorld, path: str, fields: dict[str, Any]
) -> None:
    before = login_of(admin)
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    assert visit(admin, path, reader, form=NAMED | fields).status_code == 403
    assert visit(admin, path, BETA, form=NAMED | fields).status_code == 404
    assert login_of(admin) == before
    assert 'action="/access/login' not in visit(admin, PAGE, reader).text
    assert visit(admin, PAGE, BETA).status_code == 404
    assert visit(admin, login_path("alpha", "nobody"), ALPHA).status_code == 404
