"""Domains and mailboxes: one spelling for each domain, and no text that only looks like one."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.address import (
    MAX_DOMAIN_LENGTH,
    Mailbox,
    canonical_domain,
    is_address_literal,
    literal_address,
    path_matches,
    shown_paths,
    split_mailbox,
)

LABEL = "a" * 63


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("b.example", "b.example"),
        ("B.Example.", "b.example"),
        ("localhost", "localhost"),
        ("_dmarc.b_c.example", "_dmarc.b_c.example"),
        ("1.2.3.4a", "1.2.3.4a"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER。example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        (f"{LABEL}.{LABEL}.{LABEL}.{'a' * 61}", f"{LABEL}.{LABEL}.{LABEL}.{'a' * 61}"),
    ],
)
def test_a_domain_has_one_spelling(text: str, canonical: str) -> None:
    assert canonical_domain(text) == canonical
    assert canonical_domain(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "b.example..",
        ".b.example",
        "b..example",
        "-b.example",
        "b-.example",
        "b c.example",
        "b.example\n",
        "b@c.example",
        "192.0.2.1",
        "[192.0.2.1]",
        "2001:db8::1",
        f"{LABEL}a.example",
        f"{LABEL}.{LABEL}.{LABEL}.{'a' * 62}",
        "\u200b.example",
        "ü" * 200,
    ],
)
def test_text_that_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a domain name"):
        canonical_domain(text)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("192.0.2.256", "not an address: '192.0.2.256'"),
        ("192.0.2", "not an address: '192.0.2'"),
        ("192.0.2.", "not an address: '192.0.2.'"),
        ("192.0.2.0/33", "not a network: '192.0.2.0/33'"),
        ("1::2::3", "not an address: '1::2::3'"),
        ("192.0.2.1", "an address, not a domain name: '192.0.2.1'"),
        ("7", "not a domain name: '7'"),
    ],
)
def test_text_that_is_meant_as_an_address_is_not_called_a_domain(text: str, cause: str) -> None:
    with pytest.raises(ValueError, match=re.escape(cause)):
        canonical_domain(text)


@given(st.text(max_size=30) | st.from_regex(r"[A-Za-z0-9_ü-]{1,5}(\.[a-z0-9-]{1,5}){0,3}\.?\Z"))
def test_any_text_has_one_spelling_or_none(text: str) -> None:
    try:
        name = canonical_domain(text)
    except ValueError:
        return
    assert canonical_domain(name) == canonical_domain(f"{name}.") == canonical_domain(name.upper())
    assert name == canonical_domain(name)
    assert name.isascii()
    assert 0 < len(name) <= MAX_DOMAIN_LENGTH


@pytest.mark.parametrize(
    ("domain", "address"),
    [
        ("[192.0.2.1]", IPv4Address("192.0.2.1")),
        ("[IPv6:2001:db8::1]", IPv6Address("2001:db8::1")),
        ("[ipv6:::ffff:192.0.2.1]", IPv6Address("::ffff:192.0.2.1")),
        ("[2001:db8::1]", None),
        ("[IPv6:192.0.2.1]", None),
        ("[192.0.2.256]", None),
        ("[]", None),
        ("[192.0.2.1", None),
    ],
)
def test_an_address_in_brackets(domain: str, address: IPv4Address | IPv6Address | None) -> None:
    assert is_address_literal(domain)
    assert literal_address(domain) == address


def test_a_domain_is_no_address_in_brackets() -> None:
    assert not is_address_literal("b.example")
    assert literal_address("192.0.2.1") is None


@given(st.ip_addresses())
def test_each_address_can_be_written_in_brackets(address: IPv4Address | IPv6Address) -> None:
    mark = "IPv6:" if address.version == 6 else ""
    assert literal_address(f"[{mark}{address}]") == ip_address(str(address))


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("anna@b.example", Mailbox("anna", "b.example")),
        ("Postmaster", Mailbox("Postmaster", "")),
        ('"a@b"@c.example', Mailbox('"a@b"', "c.example")),
        ("", Mailbox("", "")),
    ],
)
def test_a_mailbox_is_split_at_its_last_at(text: str, mailbox: Mailbox) -> None:
    assert split_mailbox(text) == mailbox
    assert str(mailbox) == text


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("anna@b.example", True),
        ("*@B.EXAMPLE", True),
        ("ann?@b.example", True),
        ("[ab]nna@*", True),
        ("nna@b.example", False),
        ("*@c.example", False),
        ("", False),
    ],
)
def test_a_pattern_is_about_the_whole_path(pattern: str, *, matches: bool) -> None:
    assert path_matches("Anna@b.example", pattern) is matches


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, []), (1, ["0@a"]), (2, ["0@a", "1@a"]), (11, [f"{number}@a" for number in range(10)])],
)
def test_a_line_has_the_first_addresses_only(count: int, shown: list[str]) -> None:
    assert shown_paths([f"{number}@a" for number in range(count)]) == tuple(shown)
