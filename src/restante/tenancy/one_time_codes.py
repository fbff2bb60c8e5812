"""One-time codes: six digits of a moment (TOTP, RFC 6238), and recovery codes. Pure.

A code of a moment is good for its step of 30 seconds and the one before and after. A step whose
code was used is recorded, and neither it nor an earlier one is accepted again (RFC 6238, section
5.2).
"""

import hashlib
import hmac
import secrets
from typing import Final

import pyotp

STEP_SECONDS: Final = 30
RECOVERY_CODES: Final = 10
_DRIFT: Final = 1  # steps
_DIGITS: Final = 6
# Without letters and digits that look alike. 12 of 31 characters are 59 random bits.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_RECOVERY_LENGTH: Final = 12


def new_code_secret() -> str:
    """Return a new secret of 160 random bits in Base32, as apps for such codes take it."""
    return str(pyotp.random_base32(32))


def code_at(secret: str, step: int) -> str:
    """Return the code of a step."""
    return str(pyotp.HOTP(secret, digits=_DIGITS).at(step))


def step_at(now: float) -> int:
    """Return the step of a Unix time."""
    return int(now // STEP_SECONDS)


def step_of_code(secret: str, code: str, now: float, last_step: int) -> int | None:
    """Return the step that a code is good for, if it comes after the last one; None if it is not.

    The time does not depend on the code.
    """
    digits = "".join(code.split()).encode("utf-8", "replace")
    present, found = step_at(now), None
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        is_right = hmac.compare_digest(code_at(secret, step).encode(), digits)
        if is_right and step > last_step and found is None:
            found = step
    return found


def code_uri(secret: str, email: str, issuer: str) -> str:
    """Return the URI that an app takes from a QR code."""
    return str(pyotp.TOTP(secret, digits=_DIGITS).provisioning_uri(name=email, issuer_name=issuer))


def new_recovery_codes() -> tuple[str, ...]:
    """Return new recovery codes, as they are shown once."""
    found: dict[str, None] = {}
    while len(found) < RECOVERY_CODES:
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_RECOVERY_LENGTH))
        found[f"{code[:4]}-{code[4:8]}-{code[8:]}"] = None
    return tuple(found)


def hash_recovery_code(code: str) -> bytes:
    """Return the recorded digest of a recovery code, however it was typed."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(b"recovery " + plain.encode("utf-8", "replace")).digest()
