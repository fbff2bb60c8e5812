"""Rotation of a login's password: the new one beside the old, for a while.

Both have one salt, so that a check computes one slow hash, and SCRAM's one salt suits both
(`tenancy/passwords`, `reception/scram_check`).
"""

from contextlib import suppress
from dataclasses import replace
from typing import Final

from restante.sasl.scram_keys import ScramVerifier, new_verifier, read_verifier, verifier_of
from restante.tenancy.model import Login, PriorPassword
from restante.tenancy.passwords import hash_beside
from restante.tenancy.sealed_secrets import SealBroken, Vault, login_owner, verifier_owner

OLD_VALID_SECONDS: Final = 7 * 86400.0


def rotated(vault: Vault, login: Login, password: str, until: float) -> Login:
    """Return a login with a new password, and its present one good until a time. Slow.

    The new password may be used with CRAM-MD5 if the present one may.
    """
    owner = verifier_owner(login.user)
    present = _verifier(vault, login)
    sealed_verifier = login.sealed_verifier
    if present is not None and sealed_verifier is None:  # an old login, which has none yet
        sealed_verifier = vault.seal(present.text, owner)
    verifier = verifier_of(password, present.salting) if present else new_verifier(password)
    has_secret = login.sealed_secret is not None
    return replace(
        login,
        password_hash=hash_beside(password, login.password_hash),
        sealed_secret=vault.seal(password, login_owner(login.user)) if has_secret else None,
        sealed_verifier=vault.seal(verifier.text, owner),
        prior=PriorPassword(login.password_hash, login.sealed_secret, sealed_verifier, until),
    )


def _verifier(vault: Vault, login: Login) -> ScramVerifier | None:
    """Return the verifier of the present password, if it can be read or made."""
    with suppress(SealBroken, ValueError):  # sealed under another key file
        if login.sealed_verifier is not None:
            return read_verifier(vault.open(login.sealed_verifier, verifier_owner(login.user)))
        if login.sealed_secret is not None:
            return new_verifier(vault.open(login.sealed_secret, login_owner(login.user)))
    return None
