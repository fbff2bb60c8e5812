"""The maker of a change has the rights of now, or none."""

from dataclasses import replace

import pytest

from restante.tenancy.api_token import ApiToken
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.maker_rights import present_maker
from restante.tenancy.model import Account, Directory
from restante.tenancy.portal_user import PortalUser, user_principal
from restante.tenancy.scheduled_change import ChangeMaker, ScheduledChange
from restante.tenancy.token_chain import token_principal

TOKEN = ApiToken(
    "t1", "acme", "ci", b"", frozenset({Scope.DOMAIN_DIRECT}), "operator", 1.0, expires_at=900.0
)
USER = PortalUser(
    "ana@acme.example", "acme", frozenset({GrantedRole.ACCOUNT_ADMIN}), "operator", 1.0
)
ACCOUNTS = {"acme": Account("acme", 1.0)}


def directory(token: ApiToken | None = TOKEN, user: PortalUser | None = USER) -> Directory:
    return Directory(
        accounts=ACCOUNTS,
        tokens={} if token is None else {token.id: token},
        portal_users={} if user is None else {user.email: user},
    )


def change(token: str = "", user: str = "") -> ScheduledChange:
    maker = ChangeMaker("somebody", "192.0.2.9", token, user)
    return ScheduledChange(1, 1, "acme.example", "acme", maker, 10.0, 20.0)


def test_a_token_has_its_present_rights() -> None:
    found = present_maker(change(token="t1"), directory(), 20.0)
    assert found == token_principal(TOKEN, directory(), "192.0.2.9")


def test_a_user_has_its_present_rights() -> None:
    less = USER.changed(grants=frozenset({GrantedRole.ACCOUNT_READER}))
    found = present_maker(change(user=USER.email), directory(user=less), 20.0)
    assert found == user_principal(less, "192.0.2.9")


@pytest.mark.parametrize(
    "token",
    [
        None,
        TOKEN.revoked(15.0),
        replace(TOKEN, expires_at=19.0),
        replace(TOKEN, maker="gone"),
        replace(TOKEN, account="beta"),
    ],
    ids=["removed", "revoked", "expired", "maker removed", "of another account"],
)
def test_a_token_that_is_over_has_none(token: ApiToken | None) -> None:
    assert present_maker(change(token="t1"), directory(token), 20.0) is None


@pytest.mark.parametrize(
    "user",
    [None, replace(USER, created_at=11.0), replace(USER, account="beta")],
    ids=["removed", "invited again", "of another account"],
)
def test_another_user_has_none(user: PortalUser | None) -> None:
    assert present_maker(change(user=USER.email), directory(user=user), 20.0) is None


def test_nobody_else_has_any() -> None:
    assert present_maker(change(), directory(), 20.0) is None
