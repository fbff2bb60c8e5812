"""TLS without sockets: two layers that exchange their ciphertext by hand."""

import hashlib
import ssl

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from restante.network.tls import TlsFailed, TlsLayer

AUTHORITY = trustme.CA()
CERTIFICATE = AUTHORITY.issue_cert("p.internal")


def server() -> TlsLayer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATE.configure_cert(context)
    return TlsLayer(context, is_server=True)


def client(name: str = "p.internal", maximum: ssl.TLSVersion | None = None) -> TlsLayer:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    if maximum is not None:
        context.maximum_version = maximum
    return TlsLayer(context, is_server=False, peer_name=name)


def shake_hands(one: TlsLayer, other: TlsLayer) -> None:
    """Exchange ciphertext until none is left."""
    while octets := one.take_outgoing():
        assert other.receive(octets) == b""
        one, other = other, one


def joined() -> tuple[TlsLayer, TlsLayer]:
    """Return a client and a server after the handshake."""
    dialed, accepted = client(), server()
    shake_hands(dialed, accepted)
    shake_hands(accepted, dialed)
    return dialed, accepted


def test_both_sides_agree_on_a_version_and_a_cipher() -> None:
    dialed, accepted = joined()
    assert dialed.is_established
    assert accepted.is_established
    assert dialed.version == accepted.version == "TLSv1.3"
    assert dialed.cipher == accepted.cipher != ""


def test_nothing_is_known_before_the_handshake() -> None:
    layer = client()
    assert (layer.version, layer.cipher) == ("", "")
    assert not layer.is_established


def test_the_chain_of_the_peer_begins_with_its_own_certificate() -> None:
    one, _ = joined()
    assert one.peer_chain()[0] == one.peer_certificate()


def test_the_key_of_the_peer_is_known_by_its_digest() -> None:
    dialed, accepted = joined()
    pem = CERTIFICATE.cert_chain_pems[0].bytes()
    key = x509.load_pem_x509_certificate(pem).public_key()
    octets = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert dialed.peer_key_sha256() == hashlib.sha256(octets).hexdigest()
    assert accepted.peer_key_sha256() == ""


@given(st.lists(st.binary(max_size=40_000), max_size=4))
def test_plaintext_arrives_as_it_was_sent(pieces: list[bytes]) -> None:
    dialed, accepted = joined()
    for piece in pieces:
        dialed.send(piece)
        accepted.send(piece[::-1])
    whole = b"".join(pieces)
    octets = dialed.take_outgoing()
    assert not octets or whole not in (b"", octets)
    assert accepted.receive(octets) == whole
    assert dialed.receive(accepted.take_outgoing()) == b"".join(piece[::-1] for piece in pieces)


def test_ciphertext_may_arrive_octet_by_octet() -> None:
    dialed, accepted = joined()
    dialed.send(b"EHLO c.example\r\n")
    octets = dialed.take_outgoing()
    pieces = [accepted.receive(octets[place : place + 1]) for place in range(len(octets))]
    assert b"".join(pieces) == b"EHLO c.example\r\n"
    assert pieces[-1] == b"EHLO c.example\r\n"  # no record is given before its check


def test_a_goodbye_follows_the_last_plaintext() -> None:
    dialed, accepted = joined()
    dialed.send(b"QUIT\r\n")
    dialed.close()
    assert accepted.receive(dialed.take_outgoing()) == b"QUIT\r\n"
    assert accepted.is_closed_by_peer
    assert not dialed.is_closed_by_peer


def test_a_layer_without_a_handshake_says_no_goodbye() -> None:
    layer = server()
    layer.close()
    assert layer.take_outgoing() == b""


@pytest.mark.parametrize(
    ("octets", "reason"),
    [(b"EHLO c.example\r\n", "wrong version number"), (b"GET / HTTP/1.1\r\n\r\n", "http request")],
)
def test_octets_that_are_no_tls_end_it(octets: bytes, reason: str) -> None:
    with pytest.raises(TlsFailed, match=reason):
        server().receive(octets)


def test_a_changed_record_ends_it_with_an_alert() -> None:
    dialed, accepted = joined()
    dialed.send(b"MAIL FROM:<a@a.example>\r\n")
    octets = bytearray(dialed.take_outgoing())
    octets[-1] ^= 1
    # Newer versions of OpenSSL, such as 3.6, name the layer in place of the reason.
    with pytest.raises(TlsFailed, match=r"bad record mac|record layer failure"):
        accepted.receive(bytes(octets))
    assert accepted.take_outgoing() != b""


def test_a_server_with_another_name_is_refused_with_an_alert() -> None:
    dialed, accepted = client("other.internal"), server()
    accepted.receive(dialed.take_outgoing())
    with pytest.raises(TlsFailed, match=r"hostname mismatch.*[^.]$"):
        dialed.receive(accepted.take_outgoing())
    assert not dialed.is_established
    with pytest.raises(TlsFailed, match="bad certificate"):
        accepted.receive(dialed.take_outgoing())


def test_octets_that_were_not_decrypted_are_known() -> None:
    """A record in two parts: the second still has to come."""
    dialed, accepted = joined()
    dialed.send(b"x")
    octets = dialed.take_outgoing()
    assert not accepted.has_unread
    accepted.receive(octets)
    assert not accepted.has_unread
