"""The server's certificate: whether it can be used, and a self-signed one to begin with."""

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from restante.mail.quantity import counted

SELF_SIGNED_DAYS = 3650
SOON_DAYS = 14  # before its end from which an expiring certificate is warned of


class Unfit(ValueError):  # noqa: N818
    """The file is no certificate or key that we can use. The text is cause and remedy."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause}; {remedy}")
        self.cause = cause
        self.remedy = remedy


def read_certificate(pem: bytes) -> x509.Certificate:
    """Return the first certificate of a PEM text. Raises Unfit."""
    try:
        return x509.load_pem_x509_certificates(pem)[0]
    except ValueError:
        raise Unfit("holds no PEM certificate", "give the file with BEGIN CERTIFICATE") from None


def read_public_key(pem: bytes) -> bytes:
    """Return the public half of a PEM private key, to compare. Raises Unfit."""
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        remedy = "store it without one: openssl pkey -in KEY -out NEWKEY"
        raise Unfit("is protected by a passphrase, which nobody can type at start", remedy) from None
    except (ValueError, UnsupportedAlgorithm):
        raise Unfit("holds no PEM private key", "give the file with BEGIN PRIVATE KEY") from None
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def belong_together(certificate: x509.Certificate, public_key: bytes) -> bool:
    """Tell whether the certificate is for that key."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == public_key


def end_warnings(certificate: x509.Certificate, now: float, file: Path) -> Iterator[str]:
    """Yield a warning if the certificate has ended or will soon."""
    end = certificate.not_valid_after_utc
    days = (end.timestamp() - now) / 86400
    if days < 0:
        yield f"{file}: the certificate expired on {end:%Y-%m-%d}; primaries that verify it refuse us: renew it"
    elif days < SOON_DAYS:
        yield f"{file}: the certificate expires on {end:%Y-%m-%d}, in {counted(int(days), 'day')}; renew it"


def self_signed(hostname: str, now: float) -> tuple[bytes, bytes]:
    """Make certificate and key, as PEM, for a host name and for asking over loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    begin = datetime.fromtimestamp(now, UTC) - timedelta(hours=1)  # clocks differ
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:64])])
    builder = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=SELF_SIGNED_DAYS))
    )
    for extension, is_critical in _extensions(hostname, key.public_key()):
        builder = builder.add_extension(extension, is_critical)
    certificate = builder.sign(key, hashes.SHA256())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), secret


def _extensions(hostname: str, key: ec.EllipticCurvePublicKey) -> list[tuple[x509.ExtensionType, bool]]:
    """Return what strict verifiers ask of a certificate that is its own authority (RFC 5280 §4.2)."""
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in dict.fromkeys((hostname, "localhost"))]
    names += [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    identifier = x509.SubjectKeyIdentifier.from_public_key(key)
    return [
        (x509.SubjectAlternativeName(names), False),
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (_key_usage(), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (identifier, False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False),
    ]


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
