"""Reads client certificates, and refuses those that TLS would refuse (login_certificate.py)."""

import hashlib
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from restante.phrases import HAS_EXPIRED
from restante.tenancy.login_certificate import LoginCertificate

_SUBJECT_LENGTH: Final = 100  # characters that are kept for people


class UnfitClientCertificate(ValueError):  # noqa: N818
    """The text is no certificate that a client can show. The text is cause and remedy."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}; {remedy}")
        self.cause = cause
        self.remedy = remedy


def read_login_certificates(text: str) -> tuple[LoginCertificate, ...]:
    """Return the certificates of a PEM text, "" for none. Raises UnfitClientCertificate."""
    if not text:
        return ()
    try:
        return tuple(map(_read, x509.load_pem_x509_certificates(text.encode())))
    except (ValueError, UnsupportedAlgorithm):
        cause, remedy = "holds no PEM certificate", "give the text from BEGIN to END CERTIFICATE"
        raise UnfitClientCertificate(cause, remedy) from None


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
