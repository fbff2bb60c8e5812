"""Certificates of a host, made once: by an authority, and by itself."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from trustme import KeyType

HOST = "mx.a.example"


@dataclass(frozen=True)
class Chain:
    """The certificates that a host shows, and another authority's."""

    leaf: bytes
    authority: bytes
    other: bytes


@cache
def made() -> Chain:
    """Return certificates in DER."""
    authority, other = trustme.CA(), trustme.CA()
    leaf = authority.issue_cert(HOST, key_type=KeyType.ECDSA).cert_chain_pems[0].bytes()
    return Chain(*map(der_of, (leaf, authority.cert_pem.bytes(), other.cert_pem.bytes())))


def der_of(pem: bytes) -> bytes:
    """Return a certificate in DER."""
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def read_certificate(der: bytes) -> x509.Certificate:
    """Return a certificate, read."""
    return x509.load_der_x509_certificate(der)


@cache
def own_certificate() -> bytes:
    """Return a certificate in DER that the host has signed itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    )
    return built.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
