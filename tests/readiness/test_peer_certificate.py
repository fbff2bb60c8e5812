"""The facts of a certificate that a destination shows."""

import ssl

import trustme

from restante.readiness.peer_certificate import MOST_NAMES, shown_certificate


def der(pem: bytes) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.decode())


def test_names_end_and_key_are_read() -> None:
    leaf = trustme.CA().issue_cert("mail.a.example", "192.0.2.1")
    shown = shown_certificate(der(leaf.cert_chain_pems[0].bytes()))
    assert shown is not None
    assert shown.names == ("mail.a.example", "192.0.2.1")
    assert not shown.is_self_signed
    assert len(shown.key) == 64


def test_a_self_signed_one_is_told_apart() -> None:
    shown = shown_certificate(der(trustme.CA().cert_pem.bytes()))
    assert shown is not None
    assert shown.is_self_signed


def test_few_names_of_many_are_kept() -> None:
    leaf = trustme.CA().issue_cert(*(f"n{n}.a.example" for n in range(50)))
    shown = shown_certificate(der(leaf.cert_chain_pems[0].bytes()))
    assert shown is not None
    assert len(shown.names) == MOST_NAMES


def test_octets_that_are_no_certificate_are_none() -> None:
    assert shown_certificate(b"nonsense") is None
    assert shown_certificate(b"") is None
