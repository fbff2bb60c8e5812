"""CRAM-MD5 (RFC 2195): a keyed digest of our challenge proves that the client has the password."""

import hmac
import re
from typing import Final

from restante.sasl.mechanism import BadResponse, Challenge, DigestCredentials
from restante.tenancy.saslprep import prepared

_DIGEST: Final = re.compile(
    r"[0-9A-Fa-f]{32}\Z"
)  # anything else could not even be compared in constant time


class CramMd5:
    """One CRAM-MD5 exchange over a challenge that must never have been used before."""

    def __init__(self, challenge: bytes) -> None:
        self._challenge = challenge

    def begin(self, initial: bytes | None) -> Challenge:
        """Open. The client never speaks first (RFC 4954 §4: an initial response is an error)."""
        if initial is not None:
            raise BadResponse
        return Challenge(self._challenge)

    def respond(self, response: bytes) -> DigestCredentials:
        """Read `user SP digest`."""
        try:
            user, _, digest = response.decode("utf-8").rpartition(" ")
        except UnicodeDecodeError:
            raise BadResponse from None
        name = prepared(user)
        if not name or not _DIGEST.match(digest):
            raise BadResponse
        return DigestCredentials(name, self._challenge, digest.lower())


def digest(password: str, challenge: bytes) -> str:
    """Return what a client that knows the password answers."""
    return hmac.new(password.encode(), challenge, "md5").hexdigest()
