"""Passwords: a hash tells nothing, and a login that does not exist costs as much as another."""

from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters, low_level
from hypothesis import given
from hypothesis import strategies as st

from restante.tenancy import passwords
from restante.tenancy.passwords import (
    any_matches,
    hash_beside,
    hash_generated_password,
    hash_password,
    password_matches,
)
from restante.tenancy.saslprep import prepared

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts, texts)
def test_only_the_password_itself_matches(password: str, other: str) -> None:
    hashed = hash_password(password)
    assert password_matches(hashed, password)
    assert password_matches(hashed, other) is (prepared(other) == prepared(password))


def test_a_password_matches_in_each_of_its_forms() -> None:
    for hash_it in (hash_password, hash_generated_password):
        for typed, other in (("p\u00e4ss\u00a0word", "pa\u0308ss word"), ("\u2168", "IX")):
            assert password_matches(hash_it(typed), other)
            assert password_matches(hash_it(other), typed)
    beside = hash_beside("\u2168", hash_password("old"))
    assert password_matches(beside, "IX")


def test_an_older_hash_of_the_password_as_typed_still_matches() -> None:
    older = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash("\u2168")
    assert password_matches(older, "\u2168")
    assert not password_matches(older, "IX")


def test_equal_passwords_have_different_hashes() -> None:
    assert hash_password("secret") != hash_password("secret")
    assert hash_password("secret").startswith("$argon2id$")


@pytest.mark.parametrize("hashed", ["", "secret", "$argon2id$v=19$m=8,t=1,p=1$x", "\u00fc"])
def test_nothing_matches_a_damaged_hash(hashed: str) -> None:
    for password in ("secret", ""):
        assert not password_matches(hashed, password)


def test_every_check_costs_one_usual_and_one_light_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed: list[int] = []
    real = low_level.hash_secret

    def counted(*args: Any, **costs: Any) -> bytes:
        computed.append(costs["memory_cost"])
        return real(*args, **costs)

    usual, light = hash_password("secret"), hash_generated_password("secret")
    beside = hash_beside("another", usual)
    monkeypatch.setattr(passwords, "hash_secret", counted)
    cases: tuple[list[str], ...] = ([], [usual], [light], [beside, usual], [usual, light])
    for hashes in cases:
        for password in ("wrong", "secret", ""):
            assert any_matches(hashes, password) is (password == "secret" and hashes != [])
    cost = extract_parameters(usual).memory_cost
    assert computed == [cost, 1024] * 3 * len(cases), "and nothing is hashed beforehand"


def test_a_hash_beside_another_has_its_salt() -> None:
    old = hash_password("old")
    new = hash_beside("new", old)
    assert old.split("$")[:-1] == new.split("$")[:-1]
    for password in ("old", "new"):
        assert any_matches((new, old), password)
    assert not any_matches((new,), "old")


@pytest.mark.parametrize("hashed", ["", "secret", "$argon2id$v=19$m=8,t=1,p=1$x", "\u00fc"])
def test_a_damaged_or_light_hash_is_not_followed(hashed: str) -> None:
    for known in (hashed, hash_generated_password("secret")):
        beside = hash_beside("new", known)
        assert beside.split("$")[:4] == hash_password("new").split("$")[:4]
        assert any_matches((beside, known), "new")


@given(texts, texts)
def test_a_generated_password_matches_its_light_hash_and_no_other(
    password: str, other: str
) -> None:
    hashed = hash_generated_password(password)
    assert password_matches(hashed, password)
    assert password_matches(hashed, other) is (prepared(other) == prepared(password))
