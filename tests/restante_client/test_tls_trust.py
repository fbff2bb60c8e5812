"""Which server is trusted."""

from __future__ import annotations

import base64
import hashlib
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from restante_client.client_failure import ClientExit, ClientFailure
from restante_client.tls_trust import ClientTrust, key_digest, read_key_pin
from tests.cli.answering import answering
from tests.restante_client.conftest import RunClient
from tests.restante_client.local_stub import LocalStub
from tests.restante_client.turning_script import TurningScript

DIGEST = hashlib.sha256(b"key").digest()


@pytest.fixture(params=[trustme.KeyType.RSA, trustme.KeyType.ECDSA], ids=["RSA", "ECDSA"])
def certificate(request: pytest.FixtureRequest, authority: trustme.CA) -> bytes:
    leaf = authority.issue_cert("other.example", key_type=request.param)
    return ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())


def key_of(certificate: bytes) -> bytes:
    key = x509.load_der_x509_certificate(certificate).public_key()
    return hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).digest()


def test_the_digest_of_a_key_is_that_of_other_programs(certificate: bytes) -> None:
    assert key_digest(certificate) == key_of(certificate)


@given(st.binary(max_size=200))
def test_any_octets_have_some_digest(octets: bytes) -> None:
    assert len(key_digest(octets)) == 32


@given(st.integers(min_value=0, max_value=700), st.integers(min_value=0, max_value=255))
def test_a_damaged_certificate_has_some_digest(place: int, octet: int) -> None:
    leaf = _SOME.cert_chain_pems[0].bytes().decode()
    octets = bytearray(ssl.PEM_cert_to_DER_cert(leaf))
    octets[place % len(octets)] = octet
    assert len(key_digest(bytes(octets))) == 32


_SOME = trustme.CA().issue_cert("some.example")


@pytest.mark.parametrize(
    "text",
    [
        DIGEST.hex(),
        DIGEST.hex(":").upper(),
        base64.b64encode(DIGEST).decode(),
        "sha256//" + base64.b64encode(DIGEST).decode(),
        f" sha256:{DIGEST.hex()}\n",
        f"{DIGEST.hex()}  -\n",
        DIGEST.hex(" "),
        f"sha256 Fingerprint={DIGEST.hex(':').upper()}",
        f"SHA256 Fingerprint={DIGEST.hex(':').upper()}\n",
    ],
)
def test_a_pin_in_each_form(text: str) -> None:
    assert read_key_pin(text) == DIGEST


@pytest.mark.parametrize("text", ["", "abc", DIGEST.hex()[:-2], "z" * 64])
def test_what_is_no_pin(text: str) -> None:
    with pytest.raises(ClientFailure, match="is not a SHA-256 in hex or base64; make it by"):
        read_key_pin(text)


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for trust in (ClientTrust(tmp_path / "none"), ClientTrust(certificate=empty)):
        with pytest.raises(ClientFailure) as caught:
            trust.context()
        assert caught.value.code is ClientExit.NO_INPUT


def test_a_pinned_server_needs_no_authority_and_no_name(
    client: RunClient, who: list[str], certificate: bytes, authority: trustme.CA
) -> None:
    """With another pin it gets a handshake, and no password."""
    leaf = authority.issue_cert("other.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    own = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
    pins = {
        key_of(own).hex(): 0,
        hashlib.sha256(own).hexdigest(): 0,
        key_of(certificate).hex(): 69,
    }
    for pin, code in pins.items():
        script = TurningScript(context)
        with LocalStub() as local, answering(script):
            ended = client(
                *("turn", f"localhost:{script.port}", "--local", local.address),
                *(*who[:4], "--pin", pin),
            )
        assert ended.code == code, ended.err
        if code:
            assert f"is not the pinned one, but {key_of(own).hex()}" in ended.err
            assert script.heard[-1] == "STARTTLS"
