"""Passwords as Argon2id hashes (RFC 9106), checked in the same time whether the login exists or not.

Hashing takes tens of milliseconds and 64 MiB on purpose: callers keep it off the event loop, and
few at once.
"""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """Return the PHC string to keep."""
    return _HASHER.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Tell whether a password is the one hashed; None, for a login that is not there, costs the same time."""
    try:
        _HASHER.verify(password_hash or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash("the password of a login that does not exist")


def prepare() -> None:
    """Do now what the first check of an unknown login would else spend extra time on."""
    _nobodys_hash()
