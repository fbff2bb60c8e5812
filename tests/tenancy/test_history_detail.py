"""Addresses and replies without what names a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.tenancy.history_detail import HistoryDetail, reply_code, shortened, text_in_detail


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


_TEXT = "given up after 3 h; 450-4.2.0 <anna@example.org> over quota"


@pytest.mark.parametrize(
    ("text", "detail", "kept"),
    [
        (_TEXT, HistoryDetail.FULL, _TEXT),
        (_TEXT, HistoryDetail.DOMAIN, "given up after 3 h; 450 4.2.0"),
        (_TEXT, HistoryDetail.NONE, "given up after 3 h; 450 4.2.0"),
        ("no reply to anna@example.org", HistoryDetail.DOMAIN, "no reply to @example.org"),
        ("no reply to anna@example.org", HistoryDetail.NONE, "no reply to (address)"),
        ("connection refused", HistoryDetail.NONE, "connection refused"),
    ],
)
def test_a_text_keeps_what_the_account_wants(text: str, detail: HistoryDetail, kept: str) -> None:
    assert text_in_detail(text, detail) == kept
