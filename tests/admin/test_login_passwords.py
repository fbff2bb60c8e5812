"""Which passwords a login may have, and how they are kept."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.login_passwords import (
    MAX_PASSWORD_LENGTH,
    MIN_PASSWORD_LENGTH,
    checked_password,
    generate_password,
    is_password_of,
    password_hashes,
    sealed_secret_of,
    with_cram_md5,
    with_password,
)
from restante.tenancy.model import Login
from restante.tenancy.passwords import password_matches
from tests.admin.admin_world import AdminWorld, run

PASSWORD = "correct horse"


def test_generated_passwords_are_long_and_differ() -> None:
    first, second = generate_password(), generate_password()
    assert first != second
    assert len(first) == 29


def test_a_generated_password_may_be_had() -> None:
    password = generate_password()
    assert checked_password(SecretStr(password)) == password


@pytest.mark.parametrize(
    "password",
    ["x" * (MIN_PASSWORD_LENGTH - 1), "x" * (MAX_PASSWORD_LENGTH + 1), "with\0nul and more"],
)
def test_a_password_out_of_bounds_is_refused(password: str) -> None:
    with pytest.raises(AdminError) as caught:
        checked_password(SecretStr(password))
    assert caught.value.kind is ErrorKind.INVALID


def made(admin: AdminWorld, *, has_secret: bool = True) -> Login:
    hashed, verifier = run(password_hashes(admin.context, "primary", PASSWORD))
    secret = sealed_secret_of(admin.context, "primary", PASSWORD) if has_secret else None
    return Login("primary", "alpha", hashed, secret, 1.0, verifier)


def test_the_verifier_tells_the_password_of_a_login() -> None:
    admin = AdminWorld()
    login = made(admin)
    assert password_matches(login.password_hash, PASSWORD)
    assert is_password_of(admin.context, login, PASSWORD)
    assert not is_password_of(admin.context, login, "another horse")
    assert not is_password_of(admin.context, replace(login, sealed_verifier=None), PASSWORD)


def test_the_same_password_keeps_its_hashes_and_another_gets_new_ones() -> None:
    admin = AdminWorld()
    login = made(admin)
    same = run(with_password(admin.context, login, PASSWORD, cram_md5=None))
    assert same == login
    other = run(with_password(admin.context, login, "another horse", cram_md5=False))
    assert password_matches(other.password_hash, "another horse")
    assert is_password_of(admin.context, other, "another horse")
    assert other.sealed_secret is None


def test_cram_md5_needs_the_password_itself() -> None:
    admin = AdminWorld()
    login = made(admin, has_secret=False)
    assert with_cram_md5(admin.context, login, wanted=None) is login
    with pytest.raises(AdminError, match="kept as a hash only"):
        with_cram_md5(admin.context, login, wanted=True)
    assert with_cram_md5(admin.context, made(admin), wanted=False).sealed_secret is None
