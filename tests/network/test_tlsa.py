"""TLSA records, held against the certificates of a host."""

import hashlib
import time
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from trustme import KeyType

from restante.network.tlsa import DaneCheck, TlsaRecord, read_tlsa
from tests.network.made_chain import HOST, der_of, made


def key_of(certificate: bytes) -> bytes:
    key = x509.load_der_x509_certificate(certificate).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def fault(*records: TlsaRecord, hosts: tuple[str, ...] = (HOST,), later: float = 0.0) -> str:
    chain = (made().leaf, made().authority)
    return DaneCheck(records, hosts, time.time() + later).fault(chain)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def test_records_are_read_as_in_a_zone_file() -> None:
    found = read_tlsa(["3 1 1 00ff 01", "2 0 x 00", "3 1 1 0g", "", "3 1"])
    assert found == (TlsaRecord(3, 1, 1, b"\x00\xff\x01"),)


@pytest.mark.parametrize(
    ("usage", "selector", "matching", "is_usable"),
    [(3, 1, 1, True), (2, 0, 2, True), (1, 1, 1, False), (0, 0, 1, False), (3, 2, 1, False)],
)
def test_two_usages_are_for_mail(usage: int, selector: int, matching: int, is_usable: bool) -> None:
    assert TlsaRecord(usage, selector, matching, b"").is_usable is is_usable


def test_the_host_s_own_certificate_or_key_is_enough_whatever_its_name_and_date() -> None:
    leaf, key, years = made().leaf, key_of(made().leaf), 30 * 365 * 86_400.0
    for selector, content in ((0, leaf), (1, key)):
        for matching, data in (
            (0, content),
            (1, sha256(content)),
            (2, hashlib.sha512(content).digest()),
        ):
            record = TlsaRecord(3, selector, matching, data)
            assert fault(record, hosts=("other.example",), later=years) == ""


def test_any_one_of_several_records_is_enough() -> None:
    old = TlsaRecord(3, 1, 1, bytes(32))
    assert fault(old, TlsaRecord(3, 1, 1, sha256(key_of(made().leaf)))) == ""
    assert "no TLSA record names" in fault(old)


def test_an_authority_that_the_host_sends_is_the_anchor_of_the_chain() -> None:
    record = TlsaRecord(2, 0, 1, sha256(made().authority))
    assert fault(record) == ""
    assert fault(record, hosts=("mx2.a.example", HOST)) == ""


def test_under_an_authority_name_and_date_count() -> None:
    record = TlsaRecord(2, 1, 1, sha256(key_of(made().authority)))
    assert "chain" in fault(record, hosts=("mx2.a.example",))
    assert "chain" in fault(record, later=-40 * 365 * 86_400.0)


def test_an_authority_that_did_not_sign_it_is_none() -> None:
    """A host sends its own certificate, and that of an authority that did not sign it."""
    record = TlsaRecord(2, 0, 1, sha256(made().other))
    assert "no TLSA record names" in fault(record)
    check = DaneCheck((record,), (HOST,), time.time())
    assert "chain" in check.fault((made().leaf, made().other))


def test_an_authority_does_not_stand_for_the_host_s_own_key() -> None:
    assert fault(TlsaRecord(3, 1, 1, sha256(key_of(made().authority))))


@pytest.mark.parametrize("chain", [(), (b"junk",), (b"\x30\x03\x02\x01\x01",)])
def test_without_a_readable_certificate_there_is_a_fault(chain: tuple[bytes, ...]) -> None:
    record = TlsaRecord(3, 1, 1, bytes(32))
    assert DaneCheck((record,), (HOST,), 0.0).fault(chain)


def test_a_host_s_certificate_signs_no_other() -> None:
    """The owner of one certificate of an authority cannot make others with it."""
    authority = trustme.CA()
    honest = authority.issue_cert("evil.example", key_type=KeyType.ECDSA)
    key = serialization.load_pem_private_key(honest.private_key_pem.bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    signer = x509.load_pem_x509_certificate(honest.cert_chain_pems[0].bytes())
    now = datetime.now(UTC)
    forged = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(signer.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=True)
        .sign(key, hashes.SHA256())
    )
    anchor = der_of(authority.cert_pem.bytes())
    chain = (forged.public_bytes(Encoding.DER), signer.public_bytes(Encoding.DER), anchor)
    check = DaneCheck((TlsaRecord(2, 0, 1, sha256(anchor)),), (HOST,), now.timestamp())
    assert "chain" in check.fault(chain)
