"""A rotated login has two passwords under the same salts."""

from dataclasses import replace

from restante.admin.login_rotation import rotated
from restante.sasl.scram_keys import read_verifier
from restante.tenancy.model import Login
from restante.tenancy.passwords import any_matches, hash_password
from restante.tenancy.sealed_secrets import Vault, login_owner, new_sealing_key, verifier_owner

VAULT = Vault(new_sealing_key())
OLD = hash_password("old password")
LOGIN = Login("anna", "alpha", OLD, VAULT.seal("old password", login_owner("anna")), 1.0)


def test_both_passwords_match_under_one_salt() -> None:
    login = rotated(VAULT, LOGIN, "new password", 7.0)
    assert login.prior is not None
    assert login.prior.valid_until == 7.0
    assert login.prior.password_hash == OLD
    hashes = (login.password_hash, login.prior.password_hash)
    assert any_matches(hashes, "new password")
    assert any_matches(hashes, "old password")
    assert not any_matches(hashes, "third password")


def test_a_login_without_a_verifier_gets_two_with_one_salt() -> None:
    login = rotated(VAULT, LOGIN, "new password", 7.0)
    assert login.prior is not None
    verifiers = [
        read_verifier(VAULT.open(sealed or b"", verifier_owner("anna")))
        for sealed in (login.sealed_verifier, login.prior.sealed_verifier)
    ]
    assert verifiers[0].salting == verifiers[1].salting
    assert verifiers[0].stored_key != verifiers[1].stored_key


def test_a_login_of_hashes_only_stays_one() -> None:
    login = rotated(VAULT, replace(LOGIN, sealed_secret=None), "new password", 7.0)
    assert login.sealed_secret is None
    assert login.prior is not None
    assert login.prior.sealed_secret is None
    assert login.sealed_verifier is not None


def test_a_damaged_hash_does_not_keep_anybody_from_a_new_password() -> None:
    login = rotated(VAULT, replace(LOGIN, password_hash="damaged"), "new password", 7.0)
    assert any_matches((login.password_hash,), "new password")
