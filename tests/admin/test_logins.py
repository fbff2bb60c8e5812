import asyncio
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from restante.admin import login_passwords, logins
from restante.admin.accounts import NewAccount, add_account
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import moment
from restante.admin.logins import (
    LoginChange,
    NewLogin,
    add_generated_login,
    add_login,
    change_login,
    list_logins,
    remove_login,
    show_login,
)
from restante.sasl.scram_keys import read_verifier, verifier_of
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.model import Login, LoginUse
from restante.tenancy.passwords import hash_password, password_matches
from restante.tenancy.sealed_secrets import Vault, login_owner, verifier_owner
from tests.admin.admin_world import NOW, AdminWorld, run

PASSWORD = "correct horse"


def cheap_hash(password: str) -> str:
    return f"hash of {password}"


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> AdminWorld:
    """An admin context whose hashing takes no time."""
    monkeypatch.setattr(login_passwords, "hash_password", cheap_hash)
    admin = AdminWorld()
    run(add_account(admin.context, NewAccount(name="alpha")))
    return admin


def add(
    admin: AdminWorld, user: str = "primary", password: str = PASSWORD, *, cram_md5: bool = True
) -> logins.LoginView:
    new = NewLogin(user=user, password=SecretStr(password), cram_md5=cram_md5)
    return run(add_login(admin.context, "alpha", new))


def test_the_password_is_kept_as_a_hash_and_sealed_for_its_login(
    admin: AdminWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_passwords, "hash_password", hash_password)
    add(admin)
    login = admin.context.directory.now.logins["primary"]
    assert password_matches(login.password_hash, PASSWORD)
    assert login.sealed_secret is not None
    assert PASSWORD.encode() not in login.sealed_secret
    assert admin.context.vault.open(login.sealed_secret, login_owner("primary")) == PASSWORD


def test_without_cram_md5_nothing_readable_is_kept(admin: AdminWorld) -> None:
    view = add(admin, cram_md5=False)
    assert not view.cram_md5
    assert view.scram
    assert admin.context.directory.now.logins["primary"].sealed_secret is None
    assert verifies(admin, PASSWORD)


def test_a_verifier_for_scram_is_kept_and_follows_the_password(admin: AdminWorld) -> None:
    add(admin)
    assert verifies(admin, PASSWORD)
    run(
        change_login(
            admin.context, "alpha", "primary", LoginChange(password=SecretStr("another one"))
        )
    )
    assert verifies(admin, "another one")
    run(change_login(admin.context, "alpha", "primary", LoginChange(cram_md5=False)))
    assert verifies(admin, "another one")


def test_an_older_login_keeps_scram_when_its_sealed_password_is_forgotten(
    admin: AdminWorld,
) -> None:
    add(admin)
    older = replace(admin.context.directory.now.logins["primary"], sealed_verifier=None)
    put(admin, older)
    assert run(change_login(admin.context, "alpha", "primary", LoginChange(cram_md5=False))).scram
    assert verifies(admin, PASSWORD)


def test_a_login_of_which_only_a_hash_is_kept_is_shown_to_have_no_scram(admin: AdminWorld) -> None:
    add(admin)
    put(
        admin,
        replace(
            admin.context.directory.now.logins["primary"], sealed_secret=None, sealed_verifier=None
        ),
    )
    (view,) = run(list_logins(admin.context, "alpha"))
    assert not view.scram


def test_a_password_sealed_under_another_key_file_is_forgotten_all_the_same(
    admin: AdminWorld,
) -> None:
    add(admin)
    sealed = Vault(b"\1" * 32).seal(PASSWORD, login_owner("primary"))
    put(
        admin,
        replace(
            admin.context.directory.now.logins["primary"],
            sealed_secret=sealed,
            sealed_verifier=None,
        ),
    )
    view = run(change_login(admin.context, "alpha", "primary", LoginChange(cram_md5=False)))
    assert (view.cram_md5, view.scram) == (False, False)


def verifies(admin: AdminWorld, password: str) -> bool:
    """Tell whether the verifier that is kept is that of a password."""
    sealed = admin.context.directory.now.logins["primary"].sealed_verifier
    assert sealed is not None
    assert password.encode() not in sealed
    verifier = read_verifier(admin.context.vault.open(sealed, verifier_owner("primary")))
    return verifier == verifier_of(password, verifier.salting)


def put(admin: AdminWorld, login: Login) -> None:
    run(
        admin.context.store.records.put_login(
            login, AuditEntry(1.0, AuditAction.LOGIN_CHANGED, "test", login.user)
        )
    )
    run(admin.context.directory.refresh())


def test_no_view_holds_a_secret(admin: AdminWorld) -> None:
    text = add(admin).model_dump_json()
    assert PASSWORD not in text
    assert "hash" not in text


@pytest.mark.parametrize("user", ["", "a b", "-a", "ä", "a:b", "a\0", "x" * 129])
def test_a_bad_user_name_is_refused(admin: AdminWorld, user: str) -> None:
    with pytest.raises(AdminError) as caught:
        add(admin, user)
    assert caught.value.kind is ErrorKind.INVALID


@pytest.mark.parametrize("password", ["short", "x" * 256, "with\0nul and more", "two\nlines here"])
def test_a_bad_password_is_refused_and_not_repeated(admin: AdminWorld, password: str) -> None:
    with pytest.raises(AdminError) as caught:
        add(admin, password=password)
    assert caught.value.kind is ErrorKind.INVALID
    assert password not in str(caught.value)


def test_the_prepared_form_of_a_password_is_the_one_that_counts(admin: AdminWorld) -> None:
    add(admin, password="pa\u0308ss\u00a0word of alpha")
    assert verifies(admin, "p\u00e4ss word of alpha")
    with pytest.raises(AdminError, match="must have"):
        add(admin, "other", "\u00ad" * 40)


def test_a_user_name_is_taken_over_all_accounts(admin: AdminWorld) -> None:
    add(admin)
    run(add_account(admin.context, NewAccount(name="beta")))
    new = NewLogin(user="primary", password=SecretStr(PASSWORD))
    with pytest.raises(AdminError) as caught:
        run(add_login(admin.context, "beta", new))
    assert caught.value.kind is ErrorKind.EXISTS


def test_a_new_password_keeps_cram_md5_as_it_was(admin: AdminWorld) -> None:
    add(admin, cram_md5=False)
    change = LoginChange(password=SecretStr("another one"))
    assert not run(change_login(admin.context, "alpha", "primary", change)).cram_md5
    assert admin.context.directory.now.logins["primary"].password_hash == "hash of another one"


def test_cram_md5_can_be_forbidden_alone_and_allowed_with_a_password(admin: AdminWorld) -> None:
    add(admin)
    assert not run(
        change_login(admin.context, "alpha", "primary", LoginChange(cram_md5=False))
    ).cram_md5
    with pytest.raises(AdminError, match="give a password too"):
        run(change_login(admin.context, "alpha", "primary", LoginChange(cram_md5=True)))
    change = LoginChange(cram_md5=True, password=SecretStr(PASSWORD))
    assert run(change_login(admin.context, "alpha", "primary", change)).cram_md5


def test_a_login_is_found_in_its_own_account_only(admin: AdminWorld) -> None:
    add(admin)
    run(add_account(admin.context, NewAccount(name="beta")))
    with pytest.raises(AdminError) as caught:
        run(remove_login(admin.context, "beta", "primary", "why not"))
    assert caught.value.kind is ErrorKind.NOT_FOUND
    run(remove_login(admin.context, "alpha", "primary", "gone"))
    assert not admin.context.directory.now.logins


def test_the_same_password_again_changes_nothing(
    admin: AdminWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        login_passwords, "password_matches", lambda kept, password: kept == cheap_hash(password)
    )
    add(admin)
    same = LoginChange(password=SecretStr(PASSWORD))
    assert run(change_login(admin.context, "alpha", "primary", same)).changes == []
    without = LoginChange(password=SecretStr(PASSWORD), cram_md5=False)
    changed = run(change_login(admin.context, "alpha", "primary", without))
    assert [one.field for one in changed.changes] == ["sealed password"]


def test_the_same_password_is_sealed_anew_if_the_key_file_has_changed(
    admin: AdminWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_passwords, "password_matches", lambda *_: True)
    add(admin)
    admin.context = replace(admin.context, vault=Vault(b"n" * 32))
    same = LoginChange(password=SecretStr(PASSWORD))
    changed = run(change_login(admin.context, "alpha", "primary", same))
    assert [one.field for one in changed.changes] == ["sealed password", "SCRAM verifier"]


def test_a_generated_password_is_returned_once_and_kept_under_a_light_hash() -> None:
    admin = AdminWorld()
    run(add_account(admin.context, NewAccount(name="alpha")))
    password = run(add_generated_login(admin.context, "alpha", "primary", cram_md5=False))
    login = admin.context.directory.now.logins["primary"]
    assert password_matches(login.password_hash, password)
    assert login.password_hash.startswith("$argon2id$v=19$m=1024,")
    assert login.sealed_secret is None
    assert verifies(admin, password)
    with pytest.raises(AdminError, match="the user name is taken"):
        run(add_generated_login(admin.context, "alpha", "primary"))


def test_a_rotation_keeps_the_old_password_for_a_week(admin: AdminWorld) -> None:
    add(admin)
    view = change(admin, password=SecretStr("another horse"), rotate=True)
    assert view.old_password_valid_until == moment(NOW + 7 * 86400)
    login = admin.context.directory.now.logins["primary"]
    assert login.prior is not None
    assert login.prior.password_hash == cheap_hash(PASSWORD)


def test_a_rotation_ends_when_asked_or_with_another_password(admin: AdminWorld) -> None:
    add(admin)
    for number, ending in enumerate(
        (LoginChange(end_rotation=True), LoginChange(password=SecretStr("third horse")))
    ):
        change(admin, password=SecretStr(f"horse number {number}"), rotate=True)
        run(change_login(admin.context, "alpha", "primary", ending))
        assert admin.context.directory.now.logins["primary"].prior is None


def test_a_second_rotation_must_wait_for_the_first(admin: AdminWorld) -> None:
    add(admin)
    change(admin, password=SecretStr("another horse"), rotate=True)
    with pytest.raises(AdminError, match="--end-rotation") as caught:
        change(admin, password=SecretStr("third horse"), rotate=True)
    assert caught.value.kind is ErrorKind.CONFLICT
    change(admin, password=SecretStr("third horse"), rotate=True, end_rotation=True)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"rotate": True}, "takes a new password"),
        ({"old_valid_until": moment(NOW + 9)}, "without a rotation"),
        ({"old_valid_until": moment(NOW)}, "is past"),
        ({"expires_at": moment(NOW)}, "is past"),
    ],
)
def test_a_rotation_or_an_end_that_makes_no_sense_is_refused(
    admin: AdminWorld, fields: dict[str, Any], error: str
) -> None:
    add(admin)
    with pytest.raises(AdminError, match=error):
        change(admin, **fields)


def test_the_end_of_a_login_is_set_shown_and_taken_away(admin: AdminWorld) -> None:
    add(admin)
    view = change(admin, expires_at=moment(NOW + 60))
    assert (view.expires_at, view.has_expired) == (moment(NOW + 60), False)
    assert [str(one.field) for one in view.changes] == ["valid_until"]
    assert change(admin, expires_at="never").expires_at is None


def test_the_last_use_of_a_login_is_shown(admin: AdminWorld) -> None:
    add(admin)
    use = LoginUse(NOW, "192.0.2.1", "PLAIN")
    run(admin.context.store.records.record_login_uses({"primary": use}))
    view = run(show_login(admin.context, "alpha", "primary"))
    assert [view] == list(run(list_logins(admin.context, "alpha")))
    shown = (view.last_used_at, view.last_used_from, view.last_used_mechanism)
    assert shown == (moment(NOW), "192.0.2.1", "PLAIN")


def change(admin: AdminWorld, **fields: Any) -> logins.ChangedLogin:
    return run(change_login(admin.context, "alpha", "primary", LoginChange(**fields)))


def test_of_two_additions_at_once_none_replaces_the_password_of_the_other() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host("alpha.example", "alpha")
        logins_wanted = [
            NewLogin(user="anna", password=SecretStr(f"a long secret {n}")) for n in range(2)
        ]
        additions = (add_login(admin.context, "alpha", new) for new in logins_wanted)
        first, second = await asyncio.gather(*additions, return_exceptions=True)
        refused = [one for one in (first, second) if isinstance(one, AdminError)]
        assert [one.kind for one in refused] == [ErrorKind.EXISTS]

    run(story(AdminWorld()))


def test_the_right_to_take_mail_by_atrn_is_not_given_unless_asked_for(admin: AdminWorld) -> None:
    new = NewLogin(user="primary", password=SecretStr("correct horse"))
    added = run(add_login(admin.context, "alpha", new))
    assert not added.turnaround
    changed = run(change_login(admin.context, "alpha", "primary", LoginChange(turnaround=True)))
    assert [(one.field, one.before, one.after) for one in changed.changes] == [
        ("turnaround", "no", "yes")
    ]
    assert admin.context.directory.now.logins["primary"].turnaround
    kept = run(change_login(admin.context, "alpha", "primary", LoginChange(cram_md5=False)))
    assert kept.turnaround
