"""The interface of every mechanism: a small conversation that ends in credentials.

A mechanism decides nothing. The keeper of the logins checks the credentials, off the event loop.
With SCRAM the server proves itself too; that proof comes with the verdict, not from here.
"""

from dataclasses import dataclass, field
from typing import Protocol


class BadResponse(Exception):  # noqa: N818
    """The response is not of the mechanism's form."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server's next turn, before base64."""

    text: bytes


@dataclass(frozen=True, slots=True)
class PasswordCredentials:
    """A user name and the password itself."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DigestCredentials:
    """A user name and the proof that the password is known (RFC 2195 §2)."""

    user: str
    challenge: bytes
    digest: str = field(repr=False)  # hex, lower case


@dataclass(frozen=True, slots=True)
class ScramCredentials:
    """A user name and the proof that the password is known (RFC 5802 §3)."""

    user: str
    auth_message: bytes  # signed by both sides
    proof: bytes = field(repr=False)  # 32 octets


@dataclass(frozen=True, slots=True)
class CertificateCredentials:
    """The identity that a client asks for, and the key that it has proved in the TLS handshake."""

    user: str  # "": the login that has the key
    key: str = ""  # hex SHA-256 of its SubjectPublicKeyInfo; the mechanism does not know it


SaslCredentials = (
    PasswordCredentials | DigestCredentials | ScramCredentials | CertificateCredentials
)


class SaslMechanism(Protocol):
    """One exchange."""

    def begin(self, initial: bytes | None) -> Challenge | SaslCredentials:
        """Open the exchange with the initial response, None without one. Raises BadResponse."""

    def respond(self, response: bytes) -> Challenge | SaslCredentials:
        """Take the answer to the last challenge. Raises BadResponse."""
