"""People of the portal by forms: with a recent factor, within the own rights, and links once."""

import asyncio
import re
from typing import Any

import pytest

from restante.admin.portal_users import NewPortalUser, invite_user
from restante.tenancy.grants import GrantedRole
from restante.web.portal.own_path import keep_path
from tests.admin.admin_world import NOW, AdminWorld
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, user_of, visit

BERT = {"email": "bert@alpha.example", "role": "account-reader"}
LINK = re.compile(r"<pre><code>(https://[^<]+)</code></pre>")
READER = user_of("alpha", GrantedRole.ACCOUNT_READER)


def admin_with_portal() -> AdminWorld:
    admin = hosting()
    admin.set(portal_url=lambda: "https://r.example")
    return admin


def invited(admin: AdminWorld, **fields: Any) -> None:
    new = NewPortalUser.model_validate({**BERT, "account": "alpha", **fields})
    asyncio.run(invite_user(admin.context, new))


def user(admin: AdminWorld, email: str = "bert@alpha.example") -> Any:
    return admin.context.directory.now.portal_users.get(email)


def test_a_person_is_invited_changed_and_removed() -> None:
    admin = admin_with_portal()
    page = visit(admin, "/users/invite", form=BERT)
    [link] = LINK.findall(page.text)
    assert link.startswith("https://r.example/invitation/")
    assert user(admin).account == "alpha"
    listed = visit(admin, "/users")
    assert BERT["email"] in listed.text
    assert link not in listed.text
    changed = visit(admin, "/users/role", form={**BERT, "role": "account-operator"})
    assert changed.headers["location"] == "/users"
    assert user(admin).role is GrantedRole.ACCOUNT_OPERATOR
    gone = visit(admin, "/users/remove", form={**BERT, "reason": "has left"})
    assert gone.status_code == 303
    assert user(admin) is None


def test_a_person_is_invited_again() -> None:
    admin = admin_with_portal()
    invited(admin)
    before = user(admin).invitation
    assert visit(admin, "/users/invite", form={**BERT, "again": "yes"}).status_code == 200
    assert user(admin).invitation != before


def test_an_operator_invites_operators_and_people_of_accounts() -> None:
    admin = admin_with_portal()
    root = {"email": "root@mx.example", "role": "operator-reader"}
    visit(admin, "/users/invite", OPERATOR, form=root)
    assert user(admin, "root@mx.example").account == ""
    visit(admin, "/users/invite", OPERATOR, form={**BERT, "account": "alpha"})
    assert user(admin).account == "alpha"
    everybody = visit(admin, "/users", OPERATOR).text
    assert "root@mx.example" in everybody
    assert BERT["email"] in everybody
    assert "root@mx.example" not in visit(admin, "/users?account=alpha", OPERATOR).text


@pytest.mark.parametrize("path", ["invite", "role", "remove"])
def test_each_change_needs_a_recent_factor_and_the_right(path: str) -> None:
    admin = admin_with_portal()
    if path != "invite":
        invited(admin)
    before = user(admin)
    form = {**BERT, "reason": "x", "account": "alpha"}
    stale = visit(admin, f"/users/{path}", form=form, fresh_until=NOW)
    assert stale.headers["location"] == keep_path(
        f"/repeat?to=/users/{path}", "/users?account=alpha"
    )
    assert visit(admin, f"/users/{path}", READER, form=form).status_code == 403
    assert visit(admin, f"/users/{path}", BETA, form=form).status_code == 404
    assert user(admin) == before


def test_nobody_gives_more_than_the_own_rights() -> None:
    admin = admin_with_portal()
    for role in ("operator", "operator-reader", "none"):
        answer = visit(admin, "/users/invite", form={**BERT, "role": role})
        assert answer.status_code in (403, 422)
    assert user(admin) is None
    page = visit(admin, "/users").text
    assert ">operator" not in page
    assert "<option selected>account-reader" in page


def test_a_foreign_account_is_as_unknown_as_any_other() -> None:
    admin = admin_with_portal()
    foreign, unknown = (visit(admin, f"/users?account={name}", BETA) for name in ("alpha", "x"))
    assert foreign.status_code == unknown.status_code == 404
    invited(admin)
    assert BERT["email"] not in visit(admin, "/users", BETA).text
    assert "No people yet." in visit(admin, "/users", BETA).text


def test_a_user_without_a_recent_factor_sees_the_list_alone() -> None:
    admin = admin_with_portal()
    invited(admin)
    page = visit(admin, "/users", ALPHA, fresh_until=NOW)
    assert BERT["email"] in page.text
    assert "confirm first that it is you" in page.text
    assert 'action="/users/' not in page.text
