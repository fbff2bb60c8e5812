"""Secrets that must be readable again, sealed under a key that the store never holds.

CRAM-MD5 needs the password itself (RFC 2195 §2), and so does AUTH to a destination. Sealed with
AES-256-GCM; the name of the secret's owner is bound in, so that one login's sealed secret is no
good in another's place.

SCRAM verifiers are sealed too. A guess at a password is checked against a verifier much faster than
against the Argon2id hash. A stolen store without its key file must not make that possible.
"""

import hmac
from collections.abc import Sequence
from secrets import token_bytes

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from restante.phrases import WRONG_KEY_FILE

KEY_OCTETS = 32
_NONCE_OCTETS = 12
_FINGERPRINT_DIGITS = 16


class SealBroken(Exception):  # noqa: N818
    """The secret was sealed under another key, for another owner, or is damaged."""


class Vault:
    """Seals secrets under one key, and opens those that it or a former key has sealed."""

    def __init__(self, keys: bytes) -> None:
        """`keys` is one of 32 octets, and then its former ones. Raises ValueError otherwise."""
        if not keys or len(keys) % KEY_OCTETS:
            raise ValueError(f"the key has {len(keys)} octets, it must have {KEY_OCTETS}")
        self._blocks = [keys[at : at + KEY_OCTETS] for at in range(0, len(keys), KEY_OCTETS)]
        self._ciphers = [AESGCM(key) for key in self._blocks]
        self._cipher = self._ciphers[0]
        self._key = self._blocks[0]

    @property
    def fingerprint(self) -> str:
        """The name of the key for people. It tells nothing else about the key."""
        digest = hmac.digest(self._key, b"fingerprint", "sha256").hex()
        return "-".join(digest[at : at + 4] for at in range(0, _FINGERPRINT_DIGITS, 4))

    def seal(self, secret: str, owner: str) -> bytes:
        """Return what may be stored."""
        nonce = token_bytes(_NONCE_OCTETS)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), owner.encode())

    def open(self, sealed: bytes, owner: str) -> str:
        """Return the secret. Raises SealBroken."""
        failure: Exception | None = None
        for cipher in self._ciphers:
            try:
                return _opened(cipher, sealed, owner)
            except (InvalidTag, ValueError) as error:
                failure = error
        raise SealBroken(f"the secret of {owner} {WRONG_KEY_FILE}") from failure

    def is_current(self, sealed: bytes, owner: str) -> bool:
        """Tell whether a secret is sealed under the present key, and no former one."""
        try:
            _opened(self._cipher, sealed, owner)
        except (InvalidTag, ValueError):
            return False
        return True

    def sealed_again(self, present: bytes | None, secret: str, owner: str) -> bytes:
        """Return the present sealed secret if it holds this secret, otherwise a new one.

        Each sealing differs, so sealing an unchanged secret would look like a change.
        """
        try:
            is_same = present is not None and self.open(present, owner) == secret
        except SealBroken:
            is_same = False
        return present if is_same and present is not None else self.seal(secret, owner)

    def sealed_alike(self, secret: str, owner: str) -> bytes:
        """Seal so that the same secret of the same owner is sealed to the same octets.

        The nonce is a keyed digest of the text, as in RFC 8452: it repeats only with the text. An
        exported file then differs only where a secret does.
        """
        text = secret.encode()
        digest = hmac.digest(self._key, b"\0".join((b"nonce", owner.encode(), text)), "sha256")
        nonce = digest[:_NONCE_OCTETS]
        return nonce + self._cipher.encrypt(nonce, text, owner.encode())

    def constant(self, label: str) -> bytes:
        """Return the 32 octets of the oldest key and a label. They tell nothing about the key.

        They outlive a rotation. A thief of the oldest key can compute them: so nothing that must
        be secret after a rotation may depend on them.
        """
        return _constant(self._blocks[-1], label)

    def constants(self, label: str) -> Sequence[bytes]:
        """Return such octets of each key: of the present one first, then of the former ones."""
        return [_constant(key, label) for key in self._blocks]


def _constant(key: bytes, label: str) -> bytes:
    return hmac.digest(key, f"constant {label}".encode(), "sha256")


def _opened(cipher: AESGCM, sealed: bytes, owner: str) -> str:
    """Raises InvalidTag, ValueError."""
    return cipher.decrypt(sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:], owner.encode()).decode()


def new_sealing_key() -> bytes:
    """Make a key."""
    return token_bytes(KEY_OCTETS)


def login_owner(user: str) -> str:
    """Name the owner of a login's secret. Sealing and opening must name the same owner."""
    return f"login {user}"


def verifier_owner(user: str) -> str:
    """Name the owner of a login's SCRAM verifier."""
    return f"verifier of login {user}"


def credentials_owner(user: str) -> str:
    """Name the owner of a login's hash, secret and verifier, sealed together for an export."""
    return f"exported login {user}"


def code_secret_owner(email: str) -> str:
    """Name the owner of the secret of a portal user's one-time codes."""
    return f"one-time codes of {email}"


def destination_owner(domain: str) -> str:
    """Name the owner of the password with which a domain's destination is authenticated to."""
    return f"destination {domain}"


def channel_owner(account: str, name: str) -> str:
    """Name the owner of a notice channel's secrets; the operator's channels have the account ""."""
    return f"notice channel {account}/{name}"


def data_key_owner(domain_id: int) -> str:
    """Name the owner of the key under which a domain's held content is sealed."""
    return f"content of domain {domain_id}"
