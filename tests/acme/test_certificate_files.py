"""The files of a certificate by ACME: the key stays, the certificate is replaced."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from restante.acme.certificate_files import CertificateFilesOf

NAME = "mx.customer.example"
NOW = datetime(2026, 11, 30, tzinfo=UTC)
AUTHORITY = ec.generate_private_key(ec.SECP256R1())


def issued(request: bytes, name: str = NAME, days: int = 90) -> bytes:
    """Return a certificate for a request, as an authority would; without a name: for no host."""
    asked = x509.load_der_x509_csr(request)
    assert asked.is_signature_valid
    made = (
        x509.CertificateBuilder(x509.Name([]), asked.subject)
        .public_key(asked.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=days))
    )
    if name:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return made.sign(AUTHORITY, hashes.SHA256()).public_bytes(Encoding.PEM)


def encrypted(key: ec.EllipticCurvePrivateKey) -> bytes:
    secret = BestAvailableEncryption(b"secret")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)


def test_a_renewal_keeps_the_key(tmp_path: Path) -> None:
    files = CertificateFilesOf(tmp_path, NAME)
    assert files.term() is None
    files.keep(issued(files.request()))
    key, first = files.key.read_bytes(), files.certificate.read_bytes()
    term = files.keep(issued(files.request(), days=180))
    assert files.key.read_bytes() == key
    assert files.certificate.read_bytes() != first
    assert term == files.term()
    assert term.ends - term.begins == 180 * 86400
    assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == {0o600}


def test_the_request_is_for_the_name(tmp_path: Path) -> None:
    request = x509.load_der_x509_csr(CertificateFilesOf(tmp_path, NAME).request())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [NAME]


def test_a_long_name_has_no_common_name(tmp_path: Path) -> None:
    name = f"{'a' * 60}.example"
    request = x509.load_der_x509_csr(CertificateFilesOf(tmp_path, name).request())
    assert list(request.subject) == []


def test_a_certificate_that_does_not_fit_is_not_kept(tmp_path: Path) -> None:
    files = CertificateFilesOf(tmp_path, NAME)
    right = issued(files.request())
    files.keep(right)
    other = CertificateFilesOf(tmp_path, "other.example")
    for wrong, cause in (
        (issued(other.request()), "another key"),
        (issued(files.request(), "other.example"), "another name"),
        (issued(files.request(), ""), "another name"),
        (b"no certificate", "PEM"),
    ):
        with pytest.raises(ValueError, match=cause):
            files.keep(wrong)
    assert files.certificate.read_bytes() == right


@pytest.mark.parametrize("content", [b"", b"no key", encrypted(AUTHORITY)])
def test_a_certificate_without_its_key_is_none(tmp_path: Path, content: bytes) -> None:
    """As after a restore without the key: another one is ordered, and the cause is told."""
    files = CertificateFilesOf(tmp_path, NAME)
    files.keep(issued(files.request()))
    files.key.unlink()
    assert files.term() is None
    files.request()  # makes another key
    assert files.term() is None
    files.key.write_bytes(content)
    assert files.term() is None
    with pytest.raises(ValueError, match=r"key\.pem: holds no ECDSA key"):
        files.request()


def test_failures_are_counted_until_there_is_a_certificate(tmp_path: Path) -> None:
    files = CertificateFilesOf(tmp_path, NAME)
    assert files.failures() == (0, 0.0)
    files.note_failure(3, 1.5e9)
    assert files.failures() == (3, 1.5e9)
    files.keep(issued(files.request()))
    assert files.failures() == (0, 0.0)
