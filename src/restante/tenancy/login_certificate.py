"""The certificates of clients that a login may show instead of a password (AUTH EXTERNAL).

A login is proved by the key of the certificate, which the client proves to own in the TLS
handshake. The names in the certificate prove nothing, because anybody may write them. But the
handshake fails for a certificate that is not registered, even if its key is.
"""

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

MOST_CERTIFICATES: Final = 4  # of a login: for two machines, and one more each during a change


@dataclass(frozen=True, slots=True)
class LoginCertificate:
    """A registered certificate."""

    pem: str  # one certificate, as the program writes it: no headers, no text around it
    key: str  # hex SHA-256 of its SubjectPublicKeyInfo (RFC 7469 §2.4)
    subject: str  # for people: printable, and cut
    expires_at: float  # Unix time

    @property
    def sha256(self) -> str:
        """The hex SHA-256 of the certificate: two can have the same key."""
        lines = self.pem.strip().splitlines()
        return sha256(b64decode("".join(lines[1:-1]))).hexdigest()

    def is_good(self, now: float) -> bool:
        """Return whether it has not expired."""
        return now < self.expires_at


def certificates_text(certificates: Iterable[LoginCertificate]) -> str:
    """Return certificates as one PEM text."""
    return "".join(one.pem for one in certificates)
