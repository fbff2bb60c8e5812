"""The vault: a sealed secret is opened by its key, for its owner, and not otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.tenancy.sealed_secrets import (
    KEY_OCTETS,
    SealBroken,
    Vault,
    channel_owner,
    destination_owner,
    login_owner,
    new_sealing_key,
    verifier_owner,
)

VAULT = Vault(b"k" * KEY_OCTETS)
texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts, texts)
def test_a_secret_comes_back_for_its_owner_alone(secret: str, owner: str) -> None:
    sealed = VAULT.seal(secret, owner)
    assert VAULT.open(sealed, owner) == secret
    with pytest.raises(SealBroken):
        VAULT.open(sealed, f"{owner}x")


@given(st.integers(min_value=0), st.integers(1, 255))
def test_any_change_is_noticed(place: int, bits: int) -> None:
    sealed = bytearray(VAULT.seal("secret", "login anna"))
    sealed[place % len(sealed)] ^= bits
    with pytest.raises(SealBroken):
        VAULT.open(bytes(sealed), "login anna")


@given(st.binary(max_size=60))
def test_octets_of_a_stranger_are_refused(octets: bytes) -> None:
    with pytest.raises(SealBroken, match="the secret of login anna"):
        VAULT.open(octets, "login anna")


def test_another_key_opens_nothing() -> None:
    with pytest.raises(SealBroken):
        Vault(new_sealing_key()).open(VAULT.seal("secret", "login anna"), "login anna")


def test_a_secret_is_sealed_differently_each_time() -> None:
    assert VAULT.seal("secret", "x") != VAULT.seal("secret", "x")
    assert b"secret" not in VAULT.seal("secret", "x")


@pytest.mark.parametrize("octets", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(octets: int) -> None:
    with pytest.raises(ValueError, match=f"the key has {octets} octets, it must have 32"):
        Vault(b"k" * octets)


def test_a_constant_depends_on_key_and_label() -> None:
    assert VAULT.constant("a") == Vault(b"k" * KEY_OCTETS).constant("a")
    assert (
        len({VAULT.constant("a"), VAULT.constant("b"), Vault(new_sealing_key()).constant("a")}) == 3
    )
    assert len(VAULT.constant("a")) == 32


def test_no_two_kinds_of_secrets_have_one_owner() -> None:
    owners = [kind("x") for kind in (login_owner, verifier_owner, destination_owner)]
    assert len({*owners, channel_owner("x", "y"), channel_owner("", "x/y")}) == 5


def test_an_unchanged_secret_keeps_its_sealing() -> None:
    sealed = VAULT.seal("secret", "owner")
    assert VAULT.sealed_again(sealed, "secret", "owner") == sealed
    for present, owner in ((None, "owner"), (sealed, "other"), (VAULT.seal("x", "owner"), "owner")):
        again = VAULT.sealed_again(present, "secret", owner)
        assert again != present
        assert VAULT.open(again, owner) == "secret"


def test_an_export_seals_the_same_secret_alike_and_others_differently() -> None:
    vault, other = Vault(new_sealing_key()), Vault(new_sealing_key())
    sealed = vault.sealed_alike("secret", "login a")
    assert vault.sealed_alike("secret", "login a") == sealed
    assert vault.open(sealed, "login a") == "secret"
    nonces = {
        each.sealed_alike(text, owner)[:12]
        for each in (vault, other)
        for text in ("secret", "secret2")
        for owner in ("login a", "login b")
    }
    assert len(nonces) == 8


def test_a_former_key_opens_what_it_sealed_and_seals_nothing_more() -> None:
    former, both = Vault(b"f" * KEY_OCTETS), Vault(b"n" * KEY_OCTETS + b"f" * KEY_OCTETS)
    sealed = former.seal("secret", "owner")
    assert both.open(sealed, "owner") == "secret"
    assert not both.is_current(sealed, "owner")
    again = both.seal("secret", "owner")
    assert both.is_current(again, "owner")
    assert Vault(b"n" * KEY_OCTETS).open(again, "owner") == "secret"
    with pytest.raises(SealBroken):
        former.open(again, "owner")
    assert both.constant("a") == former.constant("a")
    assert both.constants("a") == [Vault(b"n" * KEY_OCTETS).constant("a"), former.constant("a")]


def test_the_fingerprint_is_of_the_present_key() -> None:
    new, both = Vault(b"n" * KEY_OCTETS), Vault(b"n" * KEY_OCTETS + b"f" * KEY_OCTETS)
    assert new.fingerprint == both.fingerprint != Vault(b"f" * KEY_OCTETS).fingerprint
    assert len(new.fingerprint) == 19
