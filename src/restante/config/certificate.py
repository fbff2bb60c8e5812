"""A certificate of the server and its key: whether they can be used."""

from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.types import (
    PrivateKeyTypes,
    PublicKeyTypes,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from restante.mail.quantity import counted
from restante.phrases import EXPIRES, HAS_EXPIRED, RENEW

_PROBE = b"restante"
SOON_DAYS = 14  # before its end from which an expiring certificate is warned of


class UnfitCertificate(ValueError):  # noqa: N818
    """The file is no certificate or key that we can use. The text is cause and remedy."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}; {remedy}")
        self.cause = cause
        self.remedy = remedy


def read_certificate(pem: bytes) -> x509.Certificate:
    """Return the first certificate of a PEM text. Raises Unfit."""
    return read_certificates(pem)[0]


def read_certificates(pem: bytes) -> list[x509.Certificate]:
    """Return the certificates of a PEM text, at least one. Raises Unfit."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise UnfitCertificate(
            "holds no PEM certificate", "give the file with BEGIN CERTIFICATE"
        ) from None


def read_private_key(pem: bytes) -> PrivateKeyTypes:
    """Return the private key of a PEM text. Raises Unfit.

    An RSA key is proven by a signature. The library's own validation tests the primes. For
    4096 bits that takes a quarter of a second, in which no other thread of the interpreter runs.
    """
    try:
        key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        remedy = "store it without one: openssl pkey -in KEY -out NEWKEY"
        raise UnfitCertificate(
            "is protected by a passphrase, which nobody can type at start", remedy
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UnfitCertificate(
            "holds no PEM private key", "give the file with BEGIN PRIVATE KEY"
        ) from None
    if isinstance(key, rsa.RSAPrivateKey):
        _prove(key)
    return key


def _prove(key: rsa.RSAPrivateKey) -> None:
    try:
        key.public_key().verify(
            key.sign(_PROBE, PKCS1v15(), SHA256()), _PROBE, PKCS1v15(), SHA256()
        )
    except (InvalidSignature, ValueError):
        raise UnfitCertificate(
            "has a defective RSA key",
            "restore it, or issue a new key and certificate",
        ) from None


def read_public_key(pem: bytes) -> bytes:
    """Return the public half of a PEM private key, to compare. Raises Unfit."""
    return _encoded(read_private_key(pem).public_key())


def public_key_of(certificate: x509.Certificate) -> bytes:
    """Return the key that the certificate is for, to compare."""
    return _encoded(certificate.public_key())


def _encoded(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_type(certificate: x509.Certificate) -> str:
    """Name the type of key: of those with one name, OpenSSL serves only one."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ECDSA"
    return type(key).__name__.removesuffix("PublicKey")


def host_names(certificate: x509.Certificate) -> list[str]:
    """Return the names of hosts that a certificate is for. Clients do not look at its subject."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return []
    return [name.lower() for name in names.get_values_for_type(x509.DNSName)]


def covers(certificate: x509.Certificate, hostname: str) -> bool:
    """Tell whether clients accept the certificate for a host (RFC 9525 §6.3).

    `hostname` is in canonical spelling. A wildcard stands for one whole label, the leftmost.
    """
    wildcard = f"*.{hostname.partition('.')[2]}"
    return any(name in {hostname, wildcard} for name in host_names(certificate))


def end_warnings(certificate: x509.Certificate, now: float, file: Path) -> Iterator[str]:
    """Yield a warning if the certificate has ended or will soon."""
    end = certificate.not_valid_after_utc
    days = (end.timestamp() - now) / 86400
    if days < 0:
        yield (
            f"{file}: the certificate {HAS_EXPIRED} ({end:%Y-%m-%d}); primaries that verify it"
            f" refuse us: {RENEW}"
        )
    elif days < SOON_DAYS:
        yield (
            f"{file}: the certificate {EXPIRES} {counted(int(days), 'day')} ({end:%Y-%m-%d});"
            f" {RENEW}"
        )
