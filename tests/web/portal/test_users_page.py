"""People of the portal by forms: with a recent factor, within the own rights, and links once."""

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from restante.admin.portal_users import NewPortalUser, invite_user
from restante.tenancy.grants import GrantedRole
from tests.admin.desk import NOW, Desk
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, user_of, visit

BERT = {"email": "bert@alpha.example", "role": "account-reader"}
LINK = re.compile(r"<pre><code>(https://[^<]+)</code></pre>")
READER = user_of("alpha", GrantedRole.ACCOUNT_READER)


def desk_with_portal() -> Desk:
    desk = hosting()
    desk.context = replace(desk.context, portal_url=lambda: "https://r.example")
    return desk


def invited(desk: Desk, **fields: Any) -> None:
    new = NewPortalUser.model_validate({**BERT, "account": "alpha", **fields})
    asyncio.run(invite_user(desk.context, new))


def user(desk: Desk, email: str = "bert@alpha.example") -> Any:
    return desk.context.directory.now.portal_users.get(email)


def test_a_person_is_invited_changed_and_removed() -> None:
    desk = desk_with_portal()
    page = visit(desk, "/users/invite", form=BERT)
    [link] = LINK.findall(page.text)
    assert link.startswith("https://r.example/invitation/")
    assert user(desk).account == "alpha"
    listed = visit(desk, "/users")
    assert BERT["email"] in listed.text
    assert link not in listed.text
    changed = visit(desk, "/users/role", form={**BERT, "role": "account-operator"})
    assert changed.headers["location"] == "/users"
    assert user(desk).role is GrantedRole.ACCOUNT_OPERATOR
    gone = visit(desk, "/users/remove", form={**BERT, "reason": "has left"})
    assert gone.status_code == 303
    assert user(desk) is None


def test_a_person_is_invited_again() -> None:
    desk = desk_with_portal()
    invited(desk)
    before = user(desk).invitation
    assert visit(desk, "/users/invite", form={**BERT, "again": "yes"}).status_code == 200
    assert user(desk).invitation != before


def test_an_operator_invites_operators_and_people_of_accounts() -> None:
    desk = desk_with_portal()
    root = {"email": "root@mx.example", "role": "operator-reader"}
    visit(desk, "/users/invite", OPERATOR, form=root)
    assert user(desk, "root@mx.example").account == ""
    visit(desk, "/users/invite", OPERATOR, form={**BERT, "account": "alpha"})
    assert user(desk).account == "alpha"
    everybody = visit(desk, "/users", OPERATOR).text
    assert "root@mx.example" in everybody
    assert BERT["email"] in everybody
    assert "root@mx.example" not in visit(desk, "/users?account=alpha", OPERATOR).text


@pytest.mark.parametrize("path", ["invite", "role", "remove"])
def test_each_change_needs_a_recent_factor_and_the_right(path: str) -> None:
    desk = desk_with_portal()
    if path != "invite":
        invited(desk)
    before = user(desk)
    form = {**BERT, "reason": "x", "account": "alpha"}
    stale = visit(desk, f"/users/{path}", form=form, fresh_until=NOW)
    assert stale.headers["location"] == "/step-up?next=%2Fusers%3Faccount%3Dalpha"
    assert visit(desk, f"/users/{path}", READER, form=form).status_code == 403
    assert visit(desk, f"/users/{path}", BETA, form=form).status_code == 404
    assert user(desk) == before


def test_nobody_gives_more_than_the_own_rights() -> None:
    desk = desk_with_portal()
    for role in ("operator", "operator-reader", "none"):
        answer = visit(desk, "/users/invite", form={**BERT, "role": role})
        assert answer.status_code in (403, 422)
    assert user(desk) is None
    page = visit(desk, "/users").text
    assert ">operator" not in page
    assert "<option selected>account-reader" in page


def test_a_foreign_account_is_as_unknown_as_any_other() -> None:
    desk = desk_with_portal()
    foreign, unknown = (visit(desk, f"/users?account={name}", BETA) for name in ("alpha", "x"))
    assert foreign.status_code == unknown.status_code == 404
    invited(desk)
    assert BERT["email"] not in visit(desk, "/users", BETA).text
    assert "Nobody yet." in visit(desk, "/users", BETA).text


def test_a_user_without_a_recent_factor_sees_the_list_alone() -> None:
    desk = desk_with_portal()
    invited(desk)
    page = visit(desk, "/users", ALPHA, fresh_until=NOW)
    assert BERT["email"] in page.text
    assert "Show it" in page.text
    assert 'action="/users/' not in page.text
