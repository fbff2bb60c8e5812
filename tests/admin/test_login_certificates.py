"""Client certificates of logins: registered, dropped, and logins with nothing else."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from restante.admin import login_passwords
from restante.admin.accounts import NewAccount, add_account
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.logins import (
    ChangedLogin,
    LoginChange,
    NewLogin,
    add_login,
    change_login,
    show_login,
)
from restante.config.self_signed import new_ecdsa_key, self_signed, self_signed_client
from restante.tenancy.client_certificates import read_login_certificates
from restante.tenancy.login_certificate import MOST_CERTIFICATES
from tests.admin.admin_world import NOW, AdminWorld, run

PEMS = [self_signed_client("primary", new_ecdsa_key(), NOW).decode() for _ in range(5)]
KEYS = [read_login_certificates(pem)[0].key for pem in PEMS]
PASSWORD = SecretStr("correct horse")


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> AdminWorld:
    """An admin context whose hashing takes no time."""
    monkeypatch.setattr(login_passwords, "hash_password", lambda password: f"hash of {password}")
    admin = AdminWorld()
    run(add_account(admin.context, NewAccount(name="alpha")))
    return admin


def added(admin: AdminWorld, **fields: Any) -> ChangedLogin:
    return run(add_login(admin.context, "alpha", NewLogin(user="primary", **fields)))


def changed(admin: AdminWorld, **fields: Any) -> ChangedLogin:
    return run(change_login(admin.context, "alpha", "primary", LoginChange(**fields)))


def refused(admin: AdminWorld, **fields: Any) -> AdminError:
    with pytest.raises(AdminError) as error:
        changed(admin, **fields)
    return error.value


def test_a_certificate_is_added_beside_the_password_and_audited_by_its_key(
    admin: AdminWorld,
) -> None:
    added(admin, password=PASSWORD)
    view = changed(admin, add_certificates=[PEMS[0]])
    [change] = view.changes
    assert (change.field, change.before) == ("certificates", "none")
    assert KEYS[0] in change.after
    assert [(one.key, one.subject, one.pem) for one in view.certificates] == [
        (KEYS[0], "CN=primary", PEMS[0])
    ]
    assert view.has_password
    assert changed(admin, add_certificates=[PEMS[0]]).changes == []  # again


def test_certificates_are_dropped_by_the_beginning_of_their_key(admin: AdminWorld) -> None:
    added(admin, password=PASSWORD, certificates=PEMS[:3])
    view = changed(admin, drop_certificates=[KEYS[1][:8]])
    assert [one.key for one in view.certificates] == [KEYS[0], KEYS[2]]
    unknown = refused(admin, drop_certificates=[KEYS[1]])
    assert unknown.kind is ErrorKind.NOT_FOUND
    assert "login certificate alpha primary" in unknown.remedy


def test_one_of_two_certificates_of_a_key_is_dropped_by_its_digest(admin: AdminWorld) -> None:
    key = new_ecdsa_key()
    old, new = (self_signed_client("primary", key, NOW + days).decode() for days in (0, 9))
    view = added(admin, certificates=[old, new])
    assert len({one.key for one in view.certificates}) == 1
    digest = {one.pem: one.sha256 for one in view.certificates}[old]
    assert [one.pem for one in changed(admin, drop_certificates=[digest[:16]]).certificates] == [
        new
    ]


@pytest.mark.parametrize("beginning", ["", "zz" * 8, "ab", "../../etc"])
def test_a_key_is_hexadecimal_and_not_too_short(beginning: str) -> None:
    with pytest.raises(ValidationError):
        LoginChange(drop_certificates=[beginning])


def test_the_whole_list_is_replaced(admin: AdminWorld) -> None:
    added(admin, password=PASSWORD, certificates=PEMS[:2])
    view = changed(admin, certificates=[PEMS[1], PEMS[2]])
    assert {one.key for one in view.certificates} == {KEYS[1], KEYS[2]}
    assert changed(admin, certificates=[]).certificates == []


def test_there_are_four_at_most(admin: AdminWorld) -> None:
    added(admin, password=PASSWORD, certificates=PEMS[:MOST_CERTIFICATES])
    assert refused(admin, add_certificates=PEMS[4:]).kind is ErrorKind.INVALID
    view = changed(admin, add_certificates=PEMS[4:], drop_certificates=[KEYS[0]])
    assert len(view.certificates) == MOST_CERTIFICATES


@pytest.mark.parametrize(
    ("pem", "cause"),
    [
        ("nonsense", "holds no PEM certificate"),
        (self_signed("mail.example", new_ecdsa_key(), NOW).decode(), "is for servers only"),
        (self_signed_client("old", new_ecdsa_key(), NOW - 4e8).decode(), "has expired"),
        ("".join(PEMS[:2]), "holds 2 certificates"),
    ],
)
def test_one_that_tls_would_refuse_is_refused_with_its_cause(
    admin: AdminWorld, pem: str, cause: str
) -> None:
    added(admin, password=PASSWORD)
    error = refused(admin, add_certificates=[pem])
    assert (error.kind, cause in error.error) == (ErrorKind.INVALID, True)
    assert error.remedy


def test_a_key_belongs_to_one_account(admin: AdminWorld) -> None:
    """Certificates are public, and a client that names no login is told by its key alone."""
    added(admin, certificates=PEMS[:1])
    run(add_account(admin.context, NewAccount(name="other")))
    thief = NewLogin(user="thief", password=PASSWORD, certificates=[PEMS[0]])
    with pytest.raises(AdminError, match="a key that is registered elsewhere") as taken:
        run(add_login(admin.context, "other", thief))
    assert taken.value.kind is ErrorKind.CONFLICT
    assert "alpha" not in f"{taken.value.error} {taken.value.remedy}"
    assert "primary" not in f"{taken.value.error} {taken.value.remedy}"
    [holder] = admin.context.directory.now.logins_with_key(KEYS[0])
    assert holder.user == "primary"
    second = NewLogin(user="second", certificates=[PEMS[0]])  # of the same account
    assert run(add_login(admin.context, "alpha", second)).certificates


def test_an_expired_one_does_not_stop_other_changes(admin: AdminWorld) -> None:
    added(admin, password=PASSWORD, certificates=PEMS[:1])
    later = replace(admin.context, now=lambda: NOW + 4e8)
    change = LoginChange(certificates=PEMS[:1], turnaround=True)
    assert run(change_login(later, "alpha", "primary", change)).turnaround


def test_a_login_may_have_certificates_only(admin: AdminWorld) -> None:
    view = added(admin, certificates=PEMS[:1])
    assert not view.has_password
    assert not view.scram
    assert not view.cram_md5
    assert added(admin, certificates=PEMS[:1]).changes == []  # it is there already
    with pytest.raises(AdminError, match="password is none, not set"):
        added(admin, password=PASSWORD)
    assert changed(admin, password=PASSWORD).has_password
    assert not changed(admin, drop_password=True).has_password
    assert [one.key for one in run(show_login(admin.context, "alpha", "primary")).certificates] == [
        KEYS[0]
    ]


def test_nothing_is_left_without_a_proof(admin: AdminWorld) -> None:
    with pytest.raises(AdminError, match="neither a password nor a certificate"):
        added(admin)
    added(admin, certificates=PEMS[:1])
    assert refused(admin, drop_certificates=[KEYS[0]]).kind is ErrorKind.USAGE
    assert refused(admin, certificates=[]).kind is ErrorKind.USAGE
    assert refused(admin, password=PASSWORD, drop_password=True).kind is ErrorKind.USAGE
    no_old = refused(admin, password=PASSWORD, rotate=True)
    assert "no password to keep" in no_old.error
