"""ID tokens with keys of every type. Bad tokens of a whole sign-in: test_identity_provider."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk, jws

from restante.tenancy.id_token import (
    LONGEST_TOKEN,
    ExpectedToken,
    IdTokenRefused,
    KeysUnfit,
    parse_key_set,
    verified_identity,
)

NOW = 1_700_000_000
EXPECTED = ExpectedToken("https://id.example", "restante", "nonce-1")
CLAIMS = {
    "iss": "https://id.example",
    "aud": ["restante"],
    "sub": "8a1f",
    "nonce": "nonce-1",
    "iat": NOW,
    "exp": NOW + 300,
}
RSA = jwk.RSAKey.generate_key(2048, auto_kid=False)
EC = jwk.ECKey.generate_key("P-256", auto_kid=False)
ED = jwk.OKPKey.generate_key("Ed25519", auto_kid=False)


def shown(*keys: Any, **more: str) -> bytes:
    listed = [{**one.as_dict(private=False), **more} for one in keys]
    return json.dumps({"keys": listed}).encode()


def token(key: Any, algorithm: str, claims: dict[str, Any] | None = None, **header: Any) -> str:
    text = json.dumps(CLAIMS if claims is None else claims)
    return jws.serialize_compact({"alg": algorithm, **header}, text, key, [algorithm])


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "PS512"), (EC, "ES256"), (ED, "Ed25519")],
    ids=["RS256", "PS512", "ES256", "Ed25519"],
)
def test_a_token_is_verified_by_the_key_of_its_type(key: Any, algorithm: str) -> None:
    keys = parse_key_set(shown(RSA, EC, ED))
    found = verified_identity(token(key, algorithm), keys, EXPECTED, NOW)
    assert (found.issuer, found.subject) == ("https://id.example", "8a1f")


def test_a_key_is_for_its_own_algorithm_and_use() -> None:
    keys = parse_key_set(shown(RSA, alg="RS512"))
    with pytest.raises(IdTokenRefused, match="does not show"):
        verified_identity(token(RSA, "RS256"), keys, EXPECTED, NOW)
    with pytest.raises(KeysUnfit):
        parse_key_set(shown(RSA, use="enc"))


def test_secret_and_weak_keys_are_left_out() -> None:
    for listed in (
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"},
        RSA.as_dict(private=True),
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {**EC.as_dict(private=False), "kid": 7},
    ):
        with pytest.raises(KeysUnfit, match="no key for signatures"):
            parse_key_set(json.dumps({"keys": [listed]}).encode())


def test_a_header_that_asks_for_more_than_we_know_is_refused() -> None:
    keys = parse_key_set(shown(RSA))
    text = token(RSA, "RS256").split(".")
    header = {"alg": "RS256", "crit": ["exp"], "exp": 1}
    first = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    with pytest.raises(IdTokenRefused):
        verified_identity(".".join([first, *text[1:]]), keys, EXPECTED, NOW)


def test_claims_are_read_by_their_type() -> None:
    claims = {**CLAIMS, "groups": ["a", 7, "b"], "one": "c", "auth_time": NOW - 5, "email": []}
    found = verified_identity(token(EC, "ES256", claims), parse_key_set(shown(EC)), EXPECTED, NOW)
    assert found.texts("groups") == {"a", "b"}
    assert found.texts("one") == {"c"}
    assert found.texts("missing") == frozenset()
    assert (found.text("one"), found.text("email")) == ("c", "")
    assert found.authenticated_at == NOW - 5


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "x" * (LONGEST_TOKEN + 1), "é.é.é"])
def test_another_text_is_no_token(text: str) -> None:
    with pytest.raises(IdTokenRefused):
        verified_identity(text, parse_key_set(shown(RSA)), EXPECTED, NOW)


@pytest.mark.parametrize("document", [b"", b"[]", b"{}", b'{"keys":7}', b"[" * 10_000, b"\xff"])
def test_another_document_has_no_keys(document: bytes) -> None:
    with pytest.raises(KeysUnfit):
        parse_key_set(document)


@given(st.integers(0, 400), st.characters(codec="ascii"))
def test_a_token_that_was_changed_signs_nobody_else_in(place: int, letter: str) -> None:
    good = token(ED, "Ed25519")
    changed = good[:place] + letter + good[place + 1 :]
    try:
        found = verified_identity(changed, parse_key_set(shown(ED)), EXPECTED, NOW)
    except IdTokenRefused:
        return
    assert found.subject == "8a1f"
