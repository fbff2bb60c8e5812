"""A login of a configuration: its password is given, sealed, kept, or generated."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from restante.admin.apply_steps import PruneScope
from restante.admin.configuration_entries import NotApplicable
from restante.admin.logins import LoginChange, change_login
from restante.config.self_signed import new_ecdsa_key, self_signed_client
from restante.tenancy.passwords import password_matches
from restante.tenancy.sealed_secrets import Vault
from tests.admin.admin_world import NOW, AdminWorld
from tests.admin.configurations import applied, apply, exported, fields_changed, numbers, told

ACCOUNTS = [{"thing": "account", "name": name} for name in ("a", "b")]
LOGIN = {"thing": "login", "user": "one", "account": "a"}
GIVEN = {**LOGIN, "password": "correct horse"}


@pytest.fixture
def admin() -> AdminWorld:
    admin = AdminWorld()
    apply(admin, ACCOUNTS)
    return admin


def problem_of(
    admin: AdminWorld, entry: dict[str, Any], prune: PruneScope = PruneScope.NOTHING
) -> str:
    with pytest.raises(NotApplicable) as caught:
        apply(admin, [entry], prune)
    [problem] = caught.value.problems
    return problem


def test_a_new_login_without_a_password_gets_one_that_is_told_once(admin: AdminWorld) -> None:
    assert [line.step.secret for line in apply(admin, [LOGIN], is_dry_run=True) if line.step] == [
        None
    ]
    [secret] = [line.step.secret for line in apply(admin, [LOGIN]) if line.step]
    assert secret is not None
    login = admin.context.directory.now.logins["one"]
    assert password_matches(login.password_hash, secret)
    assert numbers(apply(admin, [LOGIN]))[3] == 1
    assert admin.context.directory.now.logins["one"] == login


def test_a_given_password_is_told_by_nothing(admin: AdminWorld) -> None:
    answer = apply(admin, [GIVEN])
    assert "correct horse" not in repr(answer)
    assert fields_changed(answer) == [
        "user: none → one",
        "account: none → a",
        "password: none → set",
        "cram_md5: none → yes",
    ]
    login = admin.context.directory.now.logins["one"]
    assert password_matches(login.password_hash, "correct horse")


@pytest.mark.parametrize("cram_md5", [True, False])
def test_the_same_password_is_no_change_and_another_is(
    admin: AdminWorld, *, cram_md5: bool
) -> None:
    entry = {**GIVEN, "cram_md5": cram_md5}
    apply(admin, [entry])
    before = admin.context.directory.now.logins["one"]
    assert numbers(apply(admin, [entry]))[:4] == (0, 0, 0, 1)
    assert admin.context.directory.now.logins["one"] == before
    changed = apply(admin, [{**entry, "password": "battery staple"}])
    assert fields_changed(changed) == ["password: set → replaced"]
    login = admin.context.directory.now.logins["one"]
    assert password_matches(login.password_hash, "battery staple")


def test_cram_md5_is_taken_away_and_comes_back_only_with_the_password(admin: AdminWorld) -> None:
    apply(admin, [GIVEN])
    assert fields_changed(apply(admin, [{**LOGIN, "cram_md5": False}])) == ["cram_md5: yes → no"]
    assert numbers(apply(admin, [LOGIN], PruneScope.RECORDS))[1] == 0, "a field not given stays"
    assert "kept as a hash only" in problem_of(admin, {**LOGIN, "cram_md5": True})
    assert fields_changed(apply(admin, [{**GIVEN, "cram_md5": True}])) == ["cram_md5: no → yes"]
    assert admin.context.directory.now.logins["one"].sealed_secret is not None


@pytest.mark.parametrize(
    ("entry", "cause"),
    [
        ({**LOGIN, "user": "a b"}, "not a user name"),
        ({**LOGIN, "password": "short"}, "must have 8 to 255 characters"),
        ({**GIVEN, "sealed": "AAAA"}, "has both password and sealed"),
        ({**LOGIN, "sealed": "AAAA"}, "sealed cannot be opened with this key file"),
        ({**LOGIN, "sealed": "not base64"}, "sealed cannot be opened with this key file"),
        ({**LOGIN, "account": "c"}, "account c: does not exist"),
    ],
)
def test_a_faulty_login_is_refused(admin: AdminWorld, entry: dict[str, Any], cause: str) -> None:
    problem = problem_of(admin, entry)
    assert cause in problem
    assert "short" not in problem


def test_a_user_name_of_another_account_is_taken_unless_that_loses_it(admin: AdminWorld) -> None:
    apply(admin, [GIVEN])
    moved = {**GIVEN, "account": "b"}
    assert "the user name is taken" in problem_of(admin, moved)
    assert "the user name is taken" in problem_of(admin, moved, PruneScope.RECORDS)
    answer = apply(admin, [ACCOUNTS[0], moved], PruneScope.RECORDS)
    assert told(answer) == ["remove login one", "add login one"]
    assert admin.context.directory.now.logins["one"].account == "b"


def sealed_of(admin: AdminWorld) -> dict[str, Any]:
    [entry] = [
        one
        for one in asyncio.run(exported(admin.context, with_secrets=True))
        if one["thing"] == "login"
    ]
    return entry


def test_sealed_credentials_are_put_back_as_they_were(admin: AdminWorld) -> None:
    apply(admin, [GIVEN])
    entry, before = sealed_of(admin), admin.context.directory.now.logins["one"]
    apply(admin, [{**GIVEN, "password": "battery staple"}])
    changed = fields_changed(apply(admin, [entry]))
    assert changed == [
        "password: set → replaced",
        "sealed password: set → replaced",
        "SCRAM verifier: set → replaced",
    ]
    assert admin.context.directory.now.logins["one"] == before
    without = apply(admin, [{**entry, "cram_md5": False}])
    assert fields_changed(without) == ["sealed password: set → none"]
    assert "has no password for CRAM-MD5" in problem_of(
        admin, {**sealed_of(admin), "cram_md5": True}
    )


def test_sealed_credentials_fit_no_other_user_name_and_no_other_key(admin: AdminWorld) -> None:
    apply(admin, [GIVEN])
    entry = sealed_of(admin)
    assert "sealed cannot be opened" in problem_of(admin, {**entry, "user": "two"})
    other = replace(admin.context, vault=Vault(b"x" * 32))

    async def story() -> None:
        with pytest.raises(NotApplicable, match="sealed cannot be opened"):
            await applied(other, [entry])

    asyncio.run(story())


def test_a_login_changed_meanwhile_is_not_overwritten(admin: AdminWorld) -> None:
    apply(admin, [GIVEN])
    entry = sealed_of(admin)
    apply(admin, [{**GIVEN, "password": "battery staple"}])

    async def story() -> None:
        from restante.admin.applying import apply_configuration  # noqa: PLC0415
        from restante.admin.logins import remove_login  # noqa: PLC0415
        from tests.admin.configurations import lines  # noqa: PLC0415

        answer = apply_configuration(admin.context, lines([{**ACCOUNTS[0], "note": "x"}, entry]))
        await anext(answer)
        await remove_login(admin.context, "a", "one", "left")
        [failure] = [line.failure async for line in answer if line.failure]
        assert failure.error == "login one: was changed by somebody else meanwhile"

    asyncio.run(story())


def end_of(admin: AdminWorld) -> float | None:
    return admin.context.directory.now.logins["one"].valid_until


def test_an_expiry_is_declared_and_removed(admin: AdminWorld) -> None:
    ends = {**GIVEN, "expires_at": "2030-01-01T00:00:00Z"}
    apply(admin, [ends])
    assert end_of(admin) == 1893456000.0
    for prune in (PruneScope.NOTHING, PruneScope.RECORDS):
        assert numbers(apply(admin, [ends], prune))[1] == 0
    assert numbers(apply(admin, [GIVEN]))[1] == 0, "not given: it stays"
    later = fields_changed(apply(admin, [{**LOGIN, "expires_at": "2031-01-01T00:00:00Z"}]))
    assert later == ["valid_until: 2030-01-01T00:00:00+00:00 → 2031-01-01T00:00:00+00:00"]
    apply(admin, [{**LOGIN, "expires_at": "never"}])
    assert end_of(admin) is None
    apply(admin, [{**ends, "user": "two", "password": "correct horse"}, ends])
    assert numbers(apply(admin, [GIVEN], PruneScope.RECORDS))[1:3] == (1, 1)
    assert end_of(admin) is None
    past = {**LOGIN, "expires_at": "2020-01-01T00:00:00Z"}
    assert "the time of its expiry is past" in problem_of(admin, past)


def test_a_generated_login_expires_too(admin: AdminWorld) -> None:
    apply(admin, [{**LOGIN, "expires_at": "2030-01-01T00:00:00Z"}])
    assert end_of(admin) == 1893456000.0


def test_a_rotation_and_an_expiry_are_exported_with_secrets(admin: AdminWorld) -> None:
    apply(admin, [{**GIVEN, "expires_at": "2030-01-01T00:00:00Z"}])
    rotation = LoginChange(password=SecretStr("battery staple"), rotate=True)
    asyncio.run(change_login(admin.context, "a", "one", rotation))
    login = admin.context.directory.now.logins["one"]
    assert login.prior is not None
    entry = sealed_of(admin)
    assert numbers(apply(admin, [entry], PruneScope.RECORDS))[1] == 0
    other = AdminWorld()
    apply(other, [*ACCOUNTS, entry])
    assert other.context.directory.now.logins["one"] == login
    assert numbers(apply(admin, [{**GIVEN, "password": "battery staple"}]))[1] == 0
    assert admin.context.directory.now.logins["one"].prior is not None, "a rotation goes on"


PEM = self_signed_client("one", new_ecdsa_key(), NOW).decode()
OTHER_PEM = self_signed_client("one", new_ecdsa_key(), NOW).decode()
CERTIFIED = {**LOGIN, "certificates": [PEM]}


def certificates(admin: AdminWorld) -> list[str]:
    return [one.pem for one in admin.context.directory.now.logins["one"].certificates]


def test_a_login_with_certificates_and_without_a_password_gets_none(admin: AdminWorld) -> None:
    answer = apply(admin, [CERTIFIED])
    assert any(line.startswith("certificates: none → CN=one") for line in fields_changed(answer))
    assert not admin.context.directory.now.logins["one"].has_password
    assert certificates(admin) == [PEM]
    assert numbers(apply(admin, [CERTIFIED]))[3] == 1


def test_certificates_stand_beside_a_password_and_are_replaced_and_pruned(
    admin: AdminWorld,
) -> None:
    apply(admin, [{**GIVEN, "certificates": [PEM]}])
    apply(admin, [{**LOGIN, "certificates": [OTHER_PEM]}])
    assert certificates(admin) == [OTHER_PEM]
    apply(admin, [LOGIN])
    assert certificates(admin) == [OTHER_PEM]
    apply(admin, [LOGIN], PruneScope.RECORDS)
    assert certificates(admin) == []
    assert admin.context.directory.now.logins["one"].has_password


def test_the_last_proof_of_a_login_is_not_pruned(admin: AdminWorld) -> None:
    apply(admin, [CERTIFIED])
    problem = problem_of(admin, LOGIN, PruneScope.RECORDS)
    assert "neither a password nor a certificate" in problem


def test_a_login_with_certificates_alone_is_exported_and_put_back(admin: AdminWorld) -> None:
    apply(admin, [CERTIFIED])
    before = admin.context.directory.now.logins["one"]
    [entry] = [one for one in asyncio.run(exported(admin.context)) if one["thing"] == "login"]
    other = AdminWorld()
    apply(other, ACCOUNTS)
    apply(other, [entry])
    after = other.context.directory.now.logins["one"]
    assert replace(after, created_at=before.created_at) == before
