"""Passwords as Argon2id hashes (RFC 9106).

A check takes the same time whether or not the login exists. Hashing takes tens of milliseconds and
64 MiB on purpose: callers keep it off the event loop, and run few at once.

A password that we generated has more than 120 random bits, so nobody guesses it from any hash. Its
hash is a light one, which takes a millisecond: hundreds of logins can be made at once. Each check
verifies one full and one light hash, nobody's if the login has none of that kind. So its time does
not show the kind of a login's hash.
"""

from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_HASHER = PasswordHasher()
_LIGHT: Final = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
_LIGHT_BEGINNING: Final = "$argon2id$v=19$m=1024,t=1,p=1$"
_NOBODYS: Final = "the password of a login that does not exist"


def hash_password(password: str) -> str:
    """Return the PHC string to keep."""
    return _HASHER.hash(password)


def hash_generated_password(password: str) -> str:
    """Return the PHC string of a password that has at least 120 random bits."""
    return _LIGHT.hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Tell whether a password matches its hash; None (no such login) costs the same time."""
    is_light = password_hash is not None and password_hash.startswith(_LIGHT_BEGINNING)
    full = _nobodys_hash() if is_light or password_hash is None else password_hash
    light = password_hash if is_light and password_hash is not None else _nobodys_light_hash()
    is_full_right = _verifies(_HASHER, full, password)
    is_light_right = _verifies(_LIGHT, light, password)
    return password_hash is not None and (is_light_right if is_light else is_full_right)


def _verifies(hasher: PasswordHasher, password_hash: str, password: str) -> bool:
    try:
        return hasher.verify(password_hash, password)
    except (VerificationError, ValueError):  # ValueError: a damaged hash
        return False


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(_NOBODYS)


@cache
def _nobodys_light_hash() -> str:
    return _LIGHT.hash(_NOBODYS)


def prepare() -> None:
    """Do now the extra work that the first check of an unknown login would otherwise do."""
    _nobodys_hash()
    _nobodys_light_hash()
