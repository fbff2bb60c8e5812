"""Users of the portal: kept as they were put, each change on top of the one before."""

from dataclasses import replace

import pytest

from restante.store.interface import Store
from restante.store.store_errors import Conflict
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.numbered_change import NumberedChange, RecordKind
from restante.tenancy.portal_user import Invitation, PortalPasskey, PortalUser
from tests.contract.making import NOTED, account

ANA = PortalUser(
    email="ana@alpha.example",
    account="alpha",
    grants=frozenset({GrantedRole.ACCOUNT_ADMIN, Scope.CONTENT_READ}),
    created_by="operator root — ünïcode",
    created_at=1700000000.5,
    password_hash="$argon2id$x",
    sealed_totp=b"\0\xff",
    totp_step=57_000_000,
    recovery_hashes=(b"\1" * 32, b"\2" * 32),
    passkeys=(
        PortalPasskey(b"\3\0", "clé", 7, 1700000001.5),
        PortalPasskey(b"\4\0", "key", 0, 1700000001.5, used_at=1700000002.25),
    ),
    oidc_issuer="https://id.example",
    oidc_subject="42",
    invitation=Invitation(b"\4" * 32, 1700001800.5),
    signed_in_at=1700000002.25,
)
ROOT = PortalUser("root@mx.example", "", frozenset({GrantedRole.OPERATOR}), "operator", 1.0)


async def test_a_user_comes_back_as_it_was(store: Store) -> None:
    await store.records.put_account(account(), NOTED)
    await store.records.put_portal_user(ANA, NOTED)
    await store.records.put_portal_user(ROOT, NOTED)
    directory = await store.records.directory()
    assert directory.portal_users == {ANA.email: ANA, ROOT.email: ROOT}
    assert list(directory.portal_users_of("alpha")) == [ANA]
    assert list(directory.portal_users_of("")) == [ROOT]


async def test_of_two_changes_of_one_revision_the_first_is_kept(store: Store) -> None:
    await store.records.put_portal_user(ROOT, NOTED)
    first = ROOT.changed(totp_step=5)
    await store.records.put_portal_user(first, NOTED)
    for late in (ROOT.changed(totp_step=6), ROOT, replace(ROOT, revision=9)):
        with pytest.raises(Conflict):
            await store.records.put_portal_user(late, NOTED)
    assert (await store.records.directory()).portal_users == {ROOT.email: first}


async def test_a_user_that_was_removed_is_not_changed(store: Store) -> None:
    await store.records.put_portal_user(ROOT, NOTED)
    await store.records.remove_portal_user(ROOT.email, NOTED)
    with pytest.raises(Conflict):
        await store.records.put_portal_user(ROOT.changed(totp_step=5), NOTED)
    assert (await store.records.directory()).portal_users == {}


async def test_a_user_needs_its_account_and_stays_in_it(store: Store) -> None:
    with pytest.raises(Conflict):
        await store.records.put_portal_user(ANA, NOTED)
    await store.records.put_account(account(), NOTED)
    await store.records.put_account(account("beta"), NOTED)
    await store.records.put_portal_user(ANA, NOTED)
    for other in ("beta", ""):
        with pytest.raises(Conflict):
            await store.records.put_portal_user(ANA.changed(account=other), NOTED)
    assert (await store.records.directory()).portal_users == {ANA.email: ANA}


async def test_each_change_of_a_user_is_told(store: Store) -> None:
    await store.records.put_portal_user(ROOT, NOTED)
    number = (await store.records.directory()).change_number
    assert await store.records.changes_since(number - 1) == [
        NumberedChange(number, RecordKind.PORTAL_USER, ROOT.email, ROOT)
    ]
    await store.records.remove_portal_user(ROOT.email, NOTED)
    await store.records.remove_portal_user("nobody@mx.example", NOTED)
    assert await store.records.changes_since(number) == [
        NumberedChange(number + 1, RecordKind.PORTAL_USER, ROOT.email, None)
    ]


async def test_an_account_is_removed_with_its_users(store: Store) -> None:
    await store.records.put_account(account(), NOTED)
    await store.records.put_portal_user(ANA, NOTED)
    await store.records.put_portal_user(ROOT, NOTED)
    before = (await store.records.directory()).change_number
    await store.records.remove_account("alpha", NOTED)
    assert (await store.records.directory()).portal_users == {ROOT.email: ROOT}
    changes = await store.records.changes_since(before)
    assert changes is not None
    assert {(one.kind, one.key, one.record) for one in changes} == {
        (RecordKind.PORTAL_USER, ANA.email, None),
        (RecordKind.ACCOUNT, "alpha", None),
    }
