"""Registered client certificates are asked for, and no others are admitted."""

import ssl
from pathlib import Path

import pytest
import trustme

from restante.config.self_signed import key_pem, new_ecdsa_key, self_signed_client
from restante.network.requested_certificates import RequestedCertificates
from restante.network.tls import TlsFailed, TlsLayer
from restante.network.tls_names import serve_by_name
from restante.tenancy.client_certificates import read_login_certificates
from tests.network.test_tls import shake_hands

NOW = 1_800_000_000.0
AUTHORITY = trustme.CA()
SERVER = AUTHORITY.issue_cert("mx2.example.net")
KEY = new_ecdsa_key()
REGISTERED = self_signed_client("acme-mail", KEY, NOW - 300_000_000).decode()


def server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    SERVER.configure_cert(context)
    return context


def client(directory: Path, pem: str = "", version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    context.maximum_version = version or ssl.TLSVersion.TLSv1_3
    if pem:
        shown = directory / "shown.pem"
        shown.write_text(pem)
        context.load_cert_chain(shown)
    return context


def joined(accepting: ssl.SSLContext, dialing: ssl.SSLContext) -> TlsLayer:
    """Return the server's side after the handshake. Raises TlsFailed."""
    dialed = TlsLayer(dialing, is_server=False, peer_name="mx2.example.net")
    accepted = TlsLayer(accepting, is_server=True)
    shake_hands(dialed, accepted)
    shake_hands(accepted, dialed)
    assert accepted.is_established
    return accepted


def shown_by(key: object = KEY, pem: str = REGISTERED) -> str:
    return key_pem(key).decode() + pem  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_registered_certificate_proves_its_key(tmp_path: Path, version: ssl.TLSVersion) -> None:
    context = server()
    RequestedCertificates([context]).follow([REGISTERED])
    accepted = joined(context, client(tmp_path, shown_by(), version))
    assert accepted.peer_key_sha256() == read_login_certificates(REGISTERED)[0].key
    assert joined(context, client(tmp_path, version=version)).peer_key_sha256() == ""


def test_the_registration_of_another_changes_no_handshake(tmp_path: Path) -> None:
    """Even of the first: a client with a certificate of its own learns at once that it fails."""
    context, other = server(), new_ecdsa_key()
    certificates = RequestedCertificates([context])
    stranger = client(tmp_path, shown_by(other, self_signed_client("a", other, NOW - 3e8).decode()))
    for registered in ([], [REGISTERED], []):
        certificates.follow(registered)
        assert context.verify_mode is ssl.CERT_OPTIONAL
        assert joined(context, client(tmp_path)).peer_key_sha256() == ""
        with pytest.raises(TlsFailed, match="self-signed"):
            joined(context, stranger)


def test_a_certificate_that_is_registered_later_is_trusted_from_then_on(tmp_path: Path) -> None:
    context = server()
    certificates = RequestedCertificates([context])
    certificates.follow([])
    certificates.follow([REGISTERED])
    assert joined(context, client(tmp_path, shown_by())).peer_key_sha256()


@pytest.mark.parametrize("is_first", [True, False])
def test_a_certificate_with_the_name_of_another_disturbs_it_not(
    tmp_path: Path, is_first: bool
) -> None:
    context = server()
    namesake = self_signed_client("acme-mail", new_ecdsa_key(), NOW - 3e8).decode()
    both = [namesake, REGISTERED] if is_first else [REGISTERED, namesake]
    RequestedCertificates([context]).follow(both)
    assert joined(context, client(tmp_path, shown_by())).peer_key_sha256()


def test_another_certificate_fails_in_the_handshake(tmp_path: Path) -> None:
    context, other = server(), new_ecdsa_key()
    RequestedCertificates([context]).follow([REGISTERED])
    pem = self_signed_client("acme-mail", other, NOW - 300_000_000).decode()  # the same name
    with pytest.raises(TlsFailed, match="self-signed"):
        joined(context, client(tmp_path, shown_by(other, pem)))


def test_the_leaf_of_an_authority_is_trusted_alone(tmp_path: Path) -> None:
    authority = trustme.CA()
    registered, other = authority.issue_cert("a.example"), authority.issue_cert("b.example")
    context = server()
    RequestedCertificates([context]).follow([registered.cert_chain_pems[0].bytes().decode()])
    dialing = client(tmp_path)
    registered.configure_cert(dialing)
    assert joined(context, dialing).peer_key_sha256()
    dialing = client(tmp_path)
    other.configure_cert(dialing)
    with pytest.raises(TlsFailed):
        joined(context, dialing)


def test_a_certificate_that_openssl_refuses_disturbs_no_other(tmp_path: Path) -> None:
    context = server()
    RequestedCertificates([context]).follow(["-----BEGIN CERTIFICATE-----\nAAAA\n", REGISTERED])
    assert joined(context, client(tmp_path, shown_by())).peer_key_sha256()


def test_two_listeners_can_share_a_context(tmp_path: Path) -> None:
    context = server()
    for certificates in (RequestedCertificates([context]), RequestedCertificates([context])):
        certificates.follow([REGISTERED])
        certificates.follow([REGISTERED, REGISTERED])
    assert joined(context, client(tmp_path, shown_by())).peer_key_sha256()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_asks_for_a_name_can_show_its_certificate_too(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    """It is verified by the context of that name, and asked for by the listener's own."""
    default, named = server(), server()
    serve_by_name(default, {"mx2.example.net": named})
    certificates = RequestedCertificates([default, named])
    certificates.follow([REGISTERED])
    accepted = joined(default, client(tmp_path, shown_by(), version))
    assert accepted.peer_key_sha256() == read_login_certificates(REGISTERED)[0].key
