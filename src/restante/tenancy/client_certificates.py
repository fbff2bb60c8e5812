"""Reads client certificates, and refuses those that TLS would refuse (login_certificate.py)."""

import hashlib
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from restante.phrases import HAS_EXPIRED
from restante.tenancy.login_certificate import LoginCertificate

_SUBJECT_LENGTH: Final = 100  # characters that are kept for people
# By OpenSSL at security level 2. It ignores others without an error.
_RSA_BITS: Final = 2048
_CURVE_BITS: Final = 224
_MAKE_ONE: Final = "make one by `restante login certificate ACCOUNT USER --generate DIRECTORY`"


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
    parsed = x509.load_pem_x509_certificate(text.encode())
    if weakness := _weakness(parsed.public_key()):
        raise UnfitClientCertificate(weakness, _MAKE_ONE)
    purposes = _purposes(parsed)
    if purposes is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        raise UnfitClientCertificate(
            "is for servers only (it has no clientAuth in extendedKeyUsage)",
            _MAKE_ONE,
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


def _weakness(key: CertificatePublicKeyTypes) -> str:
    """Return why TLS would not take a key, "" if it would."""
    if isinstance(key, RSAPublicKey):
        bits, needed = key.key_size, _RSA_BITS
    elif isinstance(key, EllipticCurvePublicKey):
        bits, needed = key.key_size, _CURVE_BITS
    elif isinstance(key, Ed25519PublicKey | Ed448PublicKey):
        return ""
    else:
        return "has a key that is neither RSA nor of an elliptic curve"
    return f"has a key of {bits} bits, too weak for TLS" if bits < needed else ""


def _purposes(certificate: x509.Certificate) -> x509.ExtendedKeyUsage | None:
    """Return what a certificate may be used for; None: for everything."""
    try:
        return certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None
