"""The parts of the code flow. Whole sign-ins at a provider: tests/admin/test_identity_provider."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.tenancy.code_flow import (
    BegunSignIn,
    CallbackRefused,
    ClientRegistration,
    authorization_url,
    check_state,
    discovery_url,
    email_in,
    read_metadata,
    token_request,
)

ISSUER = "https://id.example/realm"
GOOD = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://id.example/auth?tenant=a%20b#top",
    "token_endpoint": "https://id.example/token",
    "jwks_uri": "https://id.example/keys",
}
CLIENT = ClientRegistration("rest ante", "https://portal.example/sign-in/provider/back", ("email",))
BEGUN = BegunSignIn("state", "nonce", "verifier", "/")


def test_a_description_is_found_beside_the_issuer() -> None:
    for issuer in (ISSUER, ISSUER + "/"):
        assert discovery_url(issuer) == f"{ISSUER}/.well-known/openid-configuration"


def test_the_challenge_is_the_one_of_the_standard() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
    begun = BegunSignIn("state", "nonce", verifier, "/")
    url = authorization_url(read_metadata(json.dumps(GOOD).encode(), ISSUER), CLIENT, begun)
    asked = dict(parse_qsl(urlsplit(url).query))
    assert asked["code_challenge"] == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert asked["tenant"] == "a b"
    assert asked["scope"] == "openid email"
    assert urlsplit(url).fragment == ""


@pytest.mark.parametrize(
    ("methods", "has_header", "has_field"),
    [
        (None, True, False),
        (["client_secret_post", "client_secret_basic"], True, False),
        (["client_secret_post"], False, True),
    ],
    ids=["unsaid", "both", "post"],
)
def test_a_secret_is_sent_in_one_way(
    methods: list[str] | None, has_header: bool, has_field: bool
) -> None:
    described: dict[str, Any] = dict(GOOD)
    if methods is not None:
        described["token_endpoint_auth_methods_supported"] = methods
    metadata = read_metadata(json.dumps(described).encode(), ISSUER)
    headers, body = token_request(metadata, CLIENT, BEGUN, "code", "s:é")
    fields = dict(parse_qsl(body.decode()))
    assert fields["code_verifier"] == "verifier"
    assert fields["redirect_uri"] == CLIENT.redirect_uri
    assert ("authorization" in headers, "client_secret" in fields) == (has_header, has_field)
    if has_header:
        assert headers["authorization"] == "Basic cmVzdCUyMGFudGU6cyUzQSVDMyVBOQ=="


def test_a_public_client_has_its_name_alone() -> None:
    metadata = read_metadata(json.dumps(GOOD).encode(), ISSUER)
    headers, body = token_request(metadata, CLIENT, BEGUN, "code", "")
    assert "authorization" not in headers
    assert dict(parse_qsl(body.decode()))["client_id"] == "rest ante"


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email": "ana@x.example"}, "ana@x.example"),
        ({"email": "ana@x.example", "email_verified": True}, "ana@x.example"),
        ({"email": "ana@x.example", "email_verified": False}, ""),
        ({"email": "ana@x.example", "email_verified": "false"}, ""),
        ({"email": ["ana@x.example"]}, ""),
        ({"email": "a" * 255}, ""),
        ({}, ""),
    ],
    ids=range(7),
)
def test_an_address_that_the_provider_doubts_is_not_shown(
    claims: dict[str, Any], email: str
) -> None:
    assert email_in(claims) == email


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_begun_sign_in_comes_back_as_it_was(following: str, email: str) -> None:
    begun = BegunSignIn.begin(following, email)
    assert BegunSignIn.read(begun.text) == begun


@pytest.mark.parametrize("answer", [{}, {"state": ""}, {"state": "other"}, {"state": "é\ud800"}])
def test_a_browser_comes_back_with_its_own_state(answer: dict[str, str]) -> None:
    check_state({"state": "state"}, BEGUN)
    with pytest.raises(CallbackRefused, match="another browser"):
        check_state(answer, BEGUN)
    with pytest.raises(CallbackRefused, match="unknown, was used, or is too old"):
        check_state(answer, None)
