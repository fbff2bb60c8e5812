"""The text of a token, its state, and the addresses that may use it."""

import ipaddress
import re
from dataclasses import replace

import pytest

from restante.tenancy.api_token import (
    ApiToken,
    PresentedToken,
    TokenState,
    hash_secret,
    new_secret,
    read_token,
    token_inside,
)
from restante.tenancy.grants import Scope

SECRET = "A-z_0" * 8 + "abc"
TEXT = f"rst_k3v9x0q2ma_{SECRET}"
TOKEN = ApiToken(
    "k3v9x0q2ma", "alpha", "ci", hash_secret(SECRET), frozenset({Scope.RELEASE}), "operator", 100.0
)


def test_a_new_token_has_an_id_of_ten_letters_and_256_random_bits() -> None:
    texts = {new_secret()[1] for _ in range(50)}
    assert len(texts) == 50
    assert all(re.fullmatch(r"rst_[a-z0-9]{10}_[A-Za-z0-9_-]{43}", text) for text in texts)


def test_a_token_is_read_as_it_was_made() -> None:
    parts, text = new_secret()
    assert read_token(text) == parts
    assert read_token(TEXT) == PresentedToken("k3v9x0q2ma", SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rst_",
        TEXT[:-1],
        TEXT + "a",
        " " + TEXT,
        TEXT + "\n",
        TEXT.upper(),
        "x" * 10_000,
        "rst_é",
    ],
)
def test_another_text_is_no_token(text: str) -> None:
    assert read_token(text) is None


def test_a_token_is_found_inside_a_url() -> None:
    assert token_inside(f"/v1/queue?token={TEXT}&limit=1") == "k3v9x0q2ma"
    assert token_inside("/v1/queue?token=rst_short") is None


def test_only_the_secret_matches() -> None:
    assert TOKEN.has_secret(SECRET)
    assert not TOKEN.has_secret(SECRET[:-1] + "d")
    assert not TOKEN.has_secret("")


def test_a_token_is_over_when_it_expires_or_is_revoked() -> None:
    limited = replace(TOKEN, expires_at=200.0)
    assert limited.own_state(199.9) is TokenState.ACTIVE
    assert limited.own_state(200.0) is TokenState.EXPIRED
    assert limited.revoked(150.0).own_state(300.0) is TokenState.REVOKED
    assert TOKEN.own_state(1e12) is TokenState.ACTIVE
    assert (TOKEN.is_over(1e12), limited.is_over(200.0)) == (False, True)


def test_a_token_with_networks_is_used_from_these_only() -> None:
    inside, outside = ipaddress.ip_address("192.0.2.9"), ipaddress.ip_address("198.51.100.1")
    limited = replace(TOKEN, networks=(ipaddress.ip_network("192.0.2.0/24"),))
    assert (limited.admits(inside), limited.admits(outside), limited.admits(None)) == (
        True,
        False,
        False,
    )
    assert TOKEN.admits(outside)
    assert TOKEN.admits(None)
