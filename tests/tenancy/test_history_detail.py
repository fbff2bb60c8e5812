"""Addresses and replies without what names a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.tenancy.history_detail import reply_code, shortened


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("", ""),
        ("anna@example.org", "@example.org"),
        ('"a@b"@example.org', "@example.org"),
        ("postmaster", "postmaster"),
    ],
)
def test_an_address_keeps_its_domain(address: str, kept: str) -> None:
    assert shortened(address) == kept


@pytest.mark.parametrize(
    ("reply", "kept"),
    [
        ("", ""),
        ("250 OK", "250"),
        ("250", "250"),
        ("550 5.1.1 <anna@example.org> unknown", "550 5.1.1"),
        ("550 anna@example.org unknown", "550"),
        ("550 12 unknown", "550"),
        ("no reply to RCPT of anna@example.org", ""),
        ("20 recipients were refused alike", ""),
        ("550 5.1.1.anna", "550"),
    ],
)
def test_a_reply_keeps_its_codes(reply: str, kept: str) -> None:
    assert reply_code(reply) == kept


@given(st.text())
def test_no_letter_of_a_reply_is_kept(reply: str) -> None:
    assert not any(letter.isalpha() or letter == "@" for letter in reply_code(reply))
