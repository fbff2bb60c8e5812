import math
from dataclasses import replace

import pytest

from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.model import Directory
from restante.tenancy.portal_user import (
    Invitation,
    PortalPasskey,
    PortalUser,
    canonical_email,
    hash_link_secret,
    user_principal,
)
from restante.tenancy.principal import Role
from restante.tenancy.record_change import changes_between
from restante.tenancy.token_chain import accepted_until

ANA = PortalUser(
    "ana@acme.example", "acme", frozenset({GrantedRole.ACCOUNT_ADMIN}), "operator root", 1000.0
)
ROOT = replace(ANA, email="root@mx.example", account="", grants=frozenset({GrantedRole.OPERATOR}))
PASSKEY = PortalPasskey(b"key", "laptop", 0, 1000.0)


def test_an_address_has_one_spelling() -> None:
    assert canonical_email(" Ana.Müller+x@ACME.example ".replace("ü", "u")) == (
        "ana.muller+x@acme.example"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana",
        "@acme.example",
        "ana@",
        "ana@acme",
        "a b@acme.example",
        "ana@acme.example\r\nBcc: x@y.example",
        "ana\n@acme.example",
        "<ana@acme.example>",
        '"a b"@acme.example',
        "ana@acme.example,x@y.example",
        "ana\u202e@acme.example",
        "ana@-acme.example",
        "a" * 250 + "@acme.example",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_an_address_that_could_end_a_header_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an email address"):
        canonical_email(text)


def test_an_invitation_is_good_with_its_secret_until_its_time() -> None:
    invited = replace(ANA, invitation=Invitation(hash_link_secret("secret"), 2000.0))
    assert invited.is_invited_by("secret", 1999.0)
    assert not invited.is_invited_by("secret", 2000.0)
    assert not invited.is_invited_by("Secret", 1999.0)
    assert not ANA.is_invited_by("secret", 1999.0)


def test_only_an_operator_must_have_a_second_factor() -> None:
    assert ROOT.needs_second_factor
    assert not ANA.needs_second_factor
    assert not replace(ROOT, sealed_totp=b"x").needs_second_factor
    assert not replace(ROOT, passkeys=(PASSKEY,)).needs_second_factor


@pytest.mark.parametrize(
    "other",
    [
        ANA.changed(password_hash="$other"),
        ANA.changed(grants=frozenset({GrantedRole.ACCOUNT_READER})),
        ANA.changed(grants=ANA.grants | {Scope.CONTENT_READ}),
        replace(ANA, created_at=1001.0),  # removed, and invited again
    ],
    ids=["password", "role", "scope", "another user of that address"],
)
def test_a_change_of_password_or_rights_changes_the_stamp(other: PortalUser) -> None:
    assert other.stamp != ANA.stamp


def test_signing_in_and_a_new_factor_do_not_change_the_stamp() -> None:
    assert ANA.changed(totp_step=5, signed_in_at=7.0, sealed_totp=b"x").stamp == ANA.stamp


def test_the_role_is_found_among_the_grants() -> None:
    assert replace(ANA, grants=ANA.grants | {Scope.CONTENT_READ}).role is GrantedRole.ACCOUNT_ADMIN
    assert replace(ANA, grants=frozenset()).role is GrantedRole.ACCOUNT_READER
    assert replace(ROOT, grants=frozenset()).role is GrantedRole.OPERATOR_READER


def test_a_principal_has_the_account_and_grants_of_its_user() -> None:
    found = user_principal(ANA, "192.0.2.1")
    assert (found.role, found.account, found.grants) == (Role.ACCOUNT, "acme", (ANA.grants,))
    assert found.name == "user ana@acme.example (acme)"
    assert user_principal(ROOT, "192.0.2.1").role is Role.OPERATOR


def test_a_principal_is_accepted_as_long_as_its_user_has_the_same_rights() -> None:
    principal = user_principal(ANA, "192.0.2.1")
    reader = ANA.changed(grants=frozenset({GrantedRole.ACCOUNT_READER}))
    assert accepted_until(principal, Directory(portal_users={ANA.email: ANA})) == math.inf
    assert accepted_until(principal, Directory(portal_users={ANA.email: reader})) == -math.inf
    assert accepted_until(principal, Directory()) == -math.inf


def test_a_recorded_change_shows_no_secret() -> None:
    after = ANA.changed(
        password_hash="$argon2id$hash",
        sealed_totp=b"sealed",
        recovery_hashes=(b"recovery",),
        passkeys=(PASSKEY,),
        invitation=Invitation(b"invited", 2000.0),
    )
    shown = {one.field: one.after for one in changes_between(ANA, after)}
    assert shown == {
        "password": "set",
        "secret of the one-time codes": "set",
        "recovery codes": "set",
        "passkeys": PASSKEY.key,
        "names of passkeys": "set",
        "invitation.secret": "set",
        "invitation.valid_until": "1970-01-01T00:33:20+00:00",
    }
