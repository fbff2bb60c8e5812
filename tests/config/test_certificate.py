"""Certificates and keys: the files that can be used, and the hosts that a certificate is for."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from restante.config.certificate import (
    UnfitCertificate,
    covers,
    end_warnings,
    host_names,
    key_type,
    public_key_of,
    read_certificate,
    read_certificates,
    read_private_key,
    read_public_key,
)

AUTHORITY = trustme.CA()
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "subject.example")])
END = datetime(2026, 12, 1, tzinfo=UTC)
FILE = Path("/tls/cert.pem")


def certificate(
    *names: str, key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | None = None
) -> x509.Certificate:
    """Make one that ends at END."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(END - timedelta(days=90))
        .not_valid_after(END)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    is_ed25519 = isinstance(key, ed25519.Ed25519PrivateKey)
    return builder.sign(key, None if is_ed25519 else SHA256())


def test_the_first_certificate_of_a_file_is_the_servers_own() -> None:
    first, second = AUTHORITY.issue_cert("a.example"), AUTHORITY.issue_cert("b.example")
    pem = b"".join(issued.cert_chain_pems[0].bytes() for issued in (first, second))
    assert host_names(read_certificate(pem)) == ["a.example"]
    assert [host_names(one) for one in read_certificates(pem)] == [["a.example"], ["b.example"]]


@pytest.mark.parametrize("kind", [trustme.KeyType.RSA, trustme.KeyType.ECDSA])
def test_a_key_and_its_certificate_have_the_same_public_half(kind: trustme.KeyType) -> None:
    issued = AUTHORITY.issue_cert("a.example", key_type=kind)
    read = read_certificate(issued.cert_chain_pems[0].bytes())
    assert read_public_key(issued.private_key_pem.bytes()) == public_key_of(read)
    assert key_type(read) == kind.name
    other = AUTHORITY.issue_cert("a.example", key_type=kind)
    assert read_public_key(other.private_key_pem.bytes()) != public_key_of(read)


def test_other_types_of_keys_have_their_names() -> None:
    assert key_type(certificate(key=ed25519.Ed25519PrivateKey.generate())) == "Ed25519"


@pytest.mark.parametrize(
    "pem", [b"", b"\xff", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_file_without_a_certificate_or_key_is_refused_with_its_remedy(pem: bytes) -> None:
    with pytest.raises(
        UnfitCertificate, match="holds no PEM certificate; give the file with BEGIN CERT"
    ):
        read_certificate(pem)
    with pytest.raises(
        UnfitCertificate, match="holds no PEM private key; give the file with BEGIN PRIV"
    ):
        read_private_key(pem)


def test_a_key_with_a_passphrase_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    form = (Encoding.PEM, PrivateFormat.PKCS8)
    read_private_key(key.private_bytes(*form, NoEncryption()))
    with pytest.raises(UnfitCertificate, match="is protected by a passphrase"):
        read_private_key(key.private_bytes(*form, BestAvailableEncryption(b"x")))


@pytest.mark.parametrize(
    ("names", "hostname", "is_covered"),
    [
        (["mx2.example"], "mx2.example", True),
        (["MX2.Example"], "mx2.example", True),
        (["other.example", "mx2.example"], "mx2.example", True),
        (["mx2.example"], "mx.example", False),
        (["*.example"], "mx2.example", True),
        (["*.example"], "a.mx2.example", False),  # a wildcard is one label
        (["*.mx2.example"], "mx2.example", False),
        (["*.*.example"], "a.b.example", False),
        (["mx*.example"], "mx2.example", False),
        ([], "subject.example", False),  # clients do not look at the subject
    ],
)
def test_a_certificate_covers_hosts(names: list[str], hostname: str, *, is_covered: bool) -> None:
    assert covers(certificate(*names), hostname) is is_covered


@pytest.mark.parametrize(
    ("days", "warning"),
    [
        (15.0, None),
        (14.0, None),
        (13.9, "expires in 13 days"),
        (1.5, "expires in 1 day"),
        (0.5, "expires in 0 days"),
        (-0.5, "has expired"),
    ],
)
def test_an_end_that_is_near_causes_a_warning(days: float, warning: str | None) -> None:
    found = list(end_warnings(certificate(), END.timestamp() - days * 86400, FILE))
    assert len(found) == (warning is not None)
    for line in found:
        assert line.startswith(f"{FILE}: the certificate {warning} (2026-12-01); ")
