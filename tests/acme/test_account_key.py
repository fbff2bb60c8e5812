"""The key of an account, and the requests that it signs. The signature is checked by hand."""

import json
import stat
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from restante.acme.account_key import load_account_key


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(text: str) -> int:
    return int.from_bytes(decoded(text), "big")


def header_of(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(decoded(json.loads(body)["protected"]))
    return found


def test_it_is_made_once_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "account.key.pem"
    first, second = load_account_key(file), load_account_key(file)
    assert first.public == second.public
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "d" not in first.public
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "account.key.pem"
    file.write_text("no key")
    with pytest.raises(ValueError, match=r".+"):
        load_account_key(file)


@pytest.mark.parametrize("payload", [b"", b'{"a": 1}'])
def test_a_request_is_signed(tmp_path: Path, payload: bytes) -> None:
    """RFC 8555 §6.2; an empty payload only reads (§6.3)."""
    key = load_account_key(tmp_path / "key")
    body = json.loads(key.signed("https://a.example/x", "nonce", payload))
    point = ec.EllipticCurvePublicNumbers(
        number(key.public["x"]), number(key.public["y"]), ec.SECP256R1()
    ).public_key()
    signature = decoded(body["signature"])
    der = encode_dss_signature(
        int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    )
    signed = f"{body['protected']}.{body['payload']}".encode()
    point.verify(der, signed, ec.ECDSA(SHA256()))
    assert decoded(body["payload"]) == payload


def test_the_account_is_named_once_it_is_known(tmp_path: Path) -> None:
    key = load_account_key(tmp_path / "key")
    first = header_of(key.signed("https://a.example/new", "n1", b"{}"))
    later = header_of(key.signed("https://a.example/x", "n2", b"{}", "https://a.example/acct/1"))
    assert first.keys() == {"alg", "nonce", "url", "jwk"}
    assert later == {
        "alg": "ES256",
        "nonce": "n2",
        "url": "https://a.example/x",
        "kid": "https://a.example/acct/1",
    }


def test_a_token_is_authorized_by_the_key(tmp_path: Path) -> None:
    token, _, thumbprint = load_account_key(tmp_path / "key").authorization("abc").partition(".")
    assert (token, len(decoded(thumbprint))) == ("abc", 32)
