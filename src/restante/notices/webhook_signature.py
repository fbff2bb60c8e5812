"""Signatures of webhooks by Standard Webhooks 1.0.0 (www.standardwebhooks.com). Pure.

    webhook-id          the notice's key: the same on each attempt
    webhook-timestamp   seconds of Unix time, of this attempt
    webhook-signature   "v1," and the base64 of HMAC-SHA256 over "{id}.{timestamp}.{body}"

Key, time and body are signed together. So an intercepted request can neither be changed nor, once
it is old, be sent again.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from secrets import token_bytes
from typing import Final

KEY_PREFIX: Final = "whsec_"
MIN_KEY_OCTETS: Final = 24
MAX_KEY_OCTETS: Final = 64
_NEW_KEY_OCTETS: Final = 32


def new_signing_key() -> str:
    """Make a key, in the form that people pass on."""
    return KEY_PREFIX + b64encode(token_bytes(_NEW_KEY_OCTETS)).decode("ascii")


def key_octets(key: str) -> bytes:
    """Return the octets of a key's text. Raises ValueError, without details of the key."""
    octets = (
        b64decode(key.removeprefix(KEY_PREFIX), validate=True)
        if key.startswith(KEY_PREFIX)
        else b""
    )
    if not MIN_KEY_OCTETS <= len(octets) <= MAX_KEY_OCTETS:
        raise ValueError(
            f"not {KEY_PREFIX} and the base64 of {MIN_KEY_OCTETS} to {MAX_KEY_OCTETS} octets"
        )
    return octets


def signed_headers(key: str, notice_key: str, at: float, body: bytes) -> dict[str, str]:
    """Return the header fields that go with a body sent at a Unix time."""
    timestamp = str(int(at))
    digest = hmac.new(
        key_octets(key), f"{notice_key}.{timestamp}.".encode() + body, hashlib.sha256
    ).digest()
    return {
        "webhook-id": notice_key,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{b64encode(digest).decode('ascii')}",
    }
