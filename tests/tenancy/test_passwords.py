"""Passwords: a hash tells nothing, and a login that does not exist costs as much as another."""

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from restante.tenancy import passwords
from restante.tenancy.passwords import (
    hash_generated_password,
    hash_password,
    password_matches,
    prepare,
)

NOBODYS = "the password of a login that does not exist"
texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts, texts)
def test_only_the_password_itself_matches(password: str, other: str) -> None:
    hashed = hash_password(password)
    assert password_matches(hashed, password)
    assert password_matches(hashed, other) is (other == password)


def test_equal_passwords_have_different_hashes() -> None:
    assert hash_password("secret") != hash_password("secret")
    assert hash_password("secret").startswith("$argon2id$")


@pytest.mark.parametrize("hashed", ["", "secret", "$argon2id$v=19$m=8,t=1,p=1$x", "\u00fc"])
def test_nothing_matches_a_damaged_hash(hashed: str) -> None:
    for password in ("secret", "", NOBODYS):
        assert not password_matches(hashed, password)


class CountingHasher:
    """Counts the checks."""

    def __init__(self) -> None:
        self.checks = 0
        self._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def verify(self, hashed: str, password: str) -> bool:
        self.checks += 1
        return self._hasher.verify(hashed, password)


def test_a_login_that_does_not_exist_costs_one_check_too(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = CountingHasher()
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    prepare()
    assert hasher.checks == 0
    assert not password_matches(None, "secret")
    assert not password_matches(None, NOBODYS)
    assert hasher.checks == 2


@given(texts, texts)
def test_a_generated_password_matches_its_light_hash_and_no_other(
    password: str, other: str
) -> None:
    hashed = hash_generated_password(password)
    assert password_matches(hashed, password)
    assert password_matches(hashed, other) is (other == password)
    assert not password_matches(hashed, NOBODYS) or password == NOBODYS


def test_a_light_hash_costs_a_full_check_too(monkeypatch: pytest.MonkeyPatch) -> None:
    full, light = CountingHasher(), CountingHasher()
    hashes = (None, hash_password("secret"), hash_generated_password("secret"))
    prepare()
    monkeypatch.setattr(passwords, "_HASHER", full)
    monkeypatch.setattr(passwords, "_LIGHT", light)
    for number, hashed in enumerate(hashes, start=1):
        password_matches(hashed, "secret")
        assert (full.checks, light.checks) == (number, number)
