"""Passwords as Argon2id hashes (RFC 9106).

A check takes the same time whether or not the login exists. Hashing takes tens of milliseconds and
64 MiB on purpose: callers keep it off the event loop, and run few at once.
"""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """Return the PHC string to keep."""
    return _HASHER.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Tell whether a password matches its hash; None (no such login) costs the same time."""
    try:
        _HASHER.verify(_nobodys_hash() if password_hash is None else password_hash, password)
    except (VerificationError, ValueError):  # ValueError: a damaged hash
        return False
    return password_hash is not None


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash("the password of a login that does not exist")


def prepare() -> None:
    """Do now the extra work that the first check of an unknown login would otherwise do."""
    _nobodys_hash()
