"""The credentials of a login, sealed together for an export and opened again.

They are the hash of the password, the sealed password for CRAM-MD5, and the verifier for SCRAM.
During a rotation, those of the old password are there too.
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from restante.admin.admin_error import AdminError, ErrorKind
from restante.phrases import WRONG_KEY_FILE
from restante.tenancy.model import Login, PriorPassword
from restante.tenancy.sealed_secrets import (
    SealBroken,
    Vault,
    credentials_owner,
    login_owner,
    verifier_owner,
)


@dataclass(frozen=True, slots=True)
class SealedCredentials:
    """The credentials of a login that an export has sealed."""

    password_hash: str
    sealed_secret: bytes | None
    sealed_verifier: bytes | None
    prior: PriorPassword | None = None


def seal_credentials(vault: Vault, login: Login, now: float) -> str:
    """Return the credentials of a login as text, sealed for its user name."""
    prior = login.prior_at(now)
    kept = _spelled(login)
    if prior is not None:
        kept["prior"] = _spelled(prior) | {"until": prior.valid_until}
    return _text(vault.sealed_alike(json.dumps(kept), credentials_owner(login.user)))


def open_credentials(vault: Vault, user: str, text: str) -> SealedCredentials:
    """Return the credentials that an export sealed for a user name. Raises AdminError.

    All that is sealed in them must open too, so that the login works.
    """
    try:
        sealed = b64decode(text, validate=True)
        kept: Mapping[str, Any] = json.loads(vault.open(sealed, credentials_owner(user)))
        prior = kept.get("prior")
        return SealedCredentials(
            *_read(vault, user, kept),
            PriorPassword(*_read(vault, user, prior), prior["until"]) if prior else None,
        )
    except (binascii.Error, ValueError, KeyError, SealBroken):
        error = f"login {user}: sealed {WRONG_KEY_FILE}"
        remedy = "use the key file of the export, or write its password"
        raise AdminError(ErrorKind.INVALID, error, remedy) from None


def _spelled(one: Login | PriorPassword) -> dict[str, Any]:
    secret, verifier = one.sealed_secret, one.sealed_verifier
    return {
        "hash": one.password_hash,
        "secret": None if secret is None else _text(secret),
        "verifier": None if verifier is None else _text(verifier),
    }


def _read(
    vault: Vault, user: str, kept: Mapping[str, Any]
) -> tuple[str, bytes | None, bytes | None]:
    secret, verifier = _octets(kept["secret"]), _octets(kept["verifier"])
    for part, owner in ((secret, login_owner(user)), (verifier, verifier_owner(user))):
        if part is not None:
            vault.open(part, owner)
    return str(kept["hash"]), secret, verifier


def _text(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")


def _octets(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)
