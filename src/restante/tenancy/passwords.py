"""Passwords as Argon2id hashes (RFC 9106).

A check takes the same time whether or not the login exists. Hashing takes tens of milliseconds and
64 MiB on purpose: callers keep it off the event loop, and run few at once.

A password that we generated has more than 120 random bits, so nobody guesses it from any hash. Its
hash is a light one, which takes a millisecond: hundreds of logins can be made at once. Each check
verifies one full and one light hash, nobody's if the login has none of that kind. So its time does
not show the kind of a login's hash.

The hash is of the prepared form (RFC 4013), as with SCRAM. Older hashes are of the password as it
was typed. So a password that preparation changes is checked in both forms, which takes twice as
long for any login.
"""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import ARGON2_VERSION, hash_secret

from restante.tenancy.saslprep import forms_of, prepared, prepared_password

_HASHER = PasswordHasher()
_LIGHT: Final = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
_LIGHT_BEGINNING: Final = "$argon2id$v=19$m=1024,t=1,p=1$"


def hash_password(password: str) -> str:
    """Return the PHC string to keep."""
    return _HASHER.hash(prepared_password(password))


def hash_generated_password(password: str) -> str:
    """Return the PHC string of a password that has at least 120 random bits."""
    return _LIGHT.hash(prepared_password(password))


def hash_beside(password: str, known_hash: str) -> str:
    """Return the PHC string of a password that is to match beside another, for a while.

    It gets the salt and the costs of that one, if those are the usual costs (`any_matches`).
    """
    if known_hash.startswith(_LIGHT_BEGINNING):
        return hash_password(password)
    try:
        return _computed(prepared(password), known_hash)
    except ValueError:  # damaged: that password has not matched before either
        return hash_password(password)


def any_matches(hashes: Sequence[str], password: str) -> bool:
    """Tell whether a password matches one of a login's hashes, of which there are two at most.

    Those with the usual costs have one salt. One such computation and a light one are made in each
    case. So no hash (no such login), one and two take the same time.
    """
    found = [_any_match(hashes, form) for form in forms_of(password)]  # each, in any case
    return any(found)


def _any_match(hashes: Sequence[str], password: str) -> bool:
    light = [one for one in hashes if one.startswith(_LIGHT_BEGINNING)]
    full = [one for one in hashes if one and one not in light]  # "" for a login without a password
    is_full_right = _is_among(full, password, _nobodys(_HASHER))
    is_light_right = _is_among(light, password, _nobodys(_LIGHT))
    return is_full_right or is_light_right


def password_matches(password_hash: str | None, password: str) -> bool:
    """Tell whether a password matches its hash; None (no such login) costs the same time."""
    return any_matches(() if password_hash is None else (password_hash,), password)


def _is_among(hashes: Sequence[str], password: str, nobodys: str) -> bool:
    """Compute one hash and make two comparisons, whatever there is to compare."""
    try:
        computed = _tag(_computed(password, hashes[0] if hashes else nobodys))
    except ValueError:
        return False
    first, second = (*hashes, "", "")[:2]
    is_first = hmac.compare_digest(computed, _tag(first))
    is_second = hmac.compare_digest(computed, _tag(second))
    return is_first or is_second


def _computed(password: str, known_hash: str) -> str:
    """Return the PHC string with the salt and costs of another. Raises ValueError if it is bad."""
    try:
        costs = extract_parameters(known_hash)
        salt = known_hash.split("$")[-2]
        made = hash_secret(
            password.encode("utf-8", "surrogatepass"),
            b64decode(salt + "=" * (-len(salt) % 4), validate=True),
            time_cost=costs.time_cost,
            memory_cost=costs.memory_cost,
            parallelism=costs.parallelism,
            hash_len=costs.hash_len,
            type=costs.type,
            version=costs.version,
        )
    except (Argon2Error, InvalidHashError, binascii.Error, OverflowError, IndexError) as error:
        raise ValueError("a damaged hash") from error
    return made.decode()


def _tag(password_hash: str) -> bytes:
    """Return the part of a PHC string that depends on the password."""
    return password_hash.rpartition("$")[2].encode()


def _nobodys(hasher: PasswordHasher) -> str:
    """Return the PHC string of nobody: a salt and costs to compute with, and a tag of its length.

    No password was hashed for it, which would take 64 MiB and a part of the start.
    """
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, tag = (
        b64encode(bytes(octets)).decode().rstrip("=")
        for octets in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${tag}"
