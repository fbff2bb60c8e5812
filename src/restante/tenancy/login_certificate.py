"""The certificates of clients that a login may show instead of a password (AUTH EXTERNAL).

A login is proved by the key of the certificate, which the client proves to own in the TLS
handshake. The names in the certificate prove nothing, because anybody may write them.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from restante.phrases import HAS_EXPIRED

MOST_CERTIFICATES: Final = 4  # of a login: for two machines, and one more each during a change
_SUBJECT_LENGTH: Final = 100  # characters that are kept for people


class UnfitClientCertificate(ValueError):  # noqa: N818
    """The text is no certificate that a client can show. The text is cause and remedy."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}; {remedy}")
        self.cause = cause
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class LoginCertificate:
    """A registered certificate."""

    pem: str
    key: str  # hex SHA-256 of its SubjectPublicKeyInfo (RFC 7469 §2.4)
    subject: str  # for people: printable, and cut
    expires_at: float  # Unix time

    def is_good(self, now: float) -> bool:
        """Return whether it has not expired."""
        return now < self.expires_at


def read_login_certificates(text: str) -> tuple[LoginCertificate, ...]:
    """Return the certificates of a PEM text, "" for none. Raises UnfitClientCertificate."""
    if not text:
        return ()
    try:
        return tuple(map(_read, x509.load_pem_x509_certificates(text.encode())))
    except (ValueError, UnsupportedAlgorithm):
        cause, remedy = "holds no PEM certificate", "give the text from BEGIN to END CERTIFICATE"
        raise UnfitClientCertificate(cause, remedy) from None


def certificates_text(certificates: Iterable[LoginCertificate]) -> str:
    """Return certificates as one PEM text."""
    return "".join(one.pem for one in certificates)


def new_login_certificate(text: str, now: float) -> LoginCertificate:
    """Return the certificate to register. Raises UnfitClientCertificate if TLS would refuse it."""
    found = read_login_certificates(text)
    if len(found) != 1:
        raise UnfitClientCertificate(
            f"holds {len(found)} certificates", "give the client's own certificate alone"
        )
    [certificate] = found
    if not certificate.is_good(now):
        raise UnfitClientCertificate(HAS_EXPIRED, "give a newer one")
    purposes = _purposes(x509.load_pem_x509_certificate(text.encode()))
    if purposes is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        raise UnfitClientCertificate(
            "is for servers only (it has no clientAuth in extendedKeyUsage)",
            "make one by `restante login certificate ACCOUNT USER --generate DIRECTORY`",
        )
    return certificate


def _read(certificate: x509.Certificate) -> LoginCertificate:
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    subject = certificate.subject.rfc4514_string()
    printable = "".join(letter if letter.isprintable() else "?" for letter in subject)
    return LoginCertificate(
        certificate.public_bytes(Encoding.PEM).decode("ascii"),
        hashlib.sha256(key).hexdigest(),
        printable[:_SUBJECT_LENGTH],
        certificate.not_valid_after_utc.timestamp(),
    )


def _purposes(certificate: x509.Certificate) -> x509.ExtendedKeyUsage | None:
    """Return what a certificate may be used for; None: for everything."""
    try:
        return certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None
