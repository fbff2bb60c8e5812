"""Socket addresses: one form for each host, and endpoints as text."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from restante.network.addresses import (
    FIRST_IPV6_BLOCK,
    address_block,
    block_site,
    join_host_port,
    peer_address,
    plain_address,
    split_host_port,
    unmapped,
)

MADE_OF_IPV4 = (IPv6Network("64:ff9b::/96"), IPv6Network("2002::/16"))


@pytest.mark.parametrize(
    ("host", "plain"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::192.0.2.1", "::c000:201"),
    ],
)
def test_a_host_is_known_under_one_address(host: str, plain: str) -> None:
    assert str(peer_address(host)) == plain
    assert plain_address(ip_address(host)) == ip_address(plain)


@given(st.ip_addresses(v=4))
def test_both_spellings_of_an_ipv4_address_are_one(address: IPv4Address) -> None:
    assert peer_address(f"::ffff:{address}") == peer_address(str(address)) == address


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("0.0.0.1", "0:0:0:1::", False),  # no IPv4 address is in a block of IPv6
    ],
)
def test_an_ipv6_network_counts_as_one_host(one: str, other: str, *, is_same: bool) -> None:
    blocks = [address_block(ip_address(text)) for text in (one, other)]
    assert (blocks[0] == blocks[1]) is is_same


@given(st.ip_addresses(v=4), st.ip_addresses(v=6))
def test_no_ipv4_address_shares_the_limits_of_an_ipv6_network(
    ipv4: IPv4Address, ipv6: IPv6Address
) -> None:
    assume(not any(ipv6 in network for network in MADE_OF_IPV4))
    assert address_block(ipv4) != address_block(ipv6)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("mx.example:25", ("mx.example", 25)),
        ("192.0.2.1:0", ("192.0.2.1", 0)),
        ("[2001:db8::1]:65535", ("2001:db8::1", 65535)),
        ("mx.example", ("mx.example", 2525)),
        ("2001:db8::1", ("2001:db8::1", 2525)),
        ("[2001:db8::1]", ("2001:db8::1", 2525)),
    ],
)
def test_an_endpoint_is_read(text: str, endpoint: tuple[str, int]) -> None:
    assert split_host_port(text, 2525) == endpoint


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "names no host"),
        (":25", "names no host"),
        ("[]:25", "names no host"),
        ("mx.example", "has no port"),
        ("2001:db8::1", "has no port"),
        ("mx.example:", "has no valid port"),
        ("mx.example:65536", "has no valid port"),
        ("mx.example:-1", "has no valid port"),
        ("mx.example:smtp", "has no valid port"),
        ("mx.example:\u0662\u0665", "has no valid port"),
        ("mx.example:" + "9" * 5000, "has no valid port"),
        ("[2001:db8::1", "has unmatched brackets"),
        ("[2001:db8::1]25", "has unmatched brackets"),
    ],
)
def test_text_that_is_no_endpoint_is_refused(text: str, cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        split_host_port(text)


@given(st.ip_addresses().map(str) | st.just("mx.example"), st.integers(0, 65535))
def test_an_endpoint_is_read_as_it_was_spelled(host: str, port: int) -> None:
    assert split_host_port(join_host_port(host, port)) == (host, port)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:1::1", "2001:db8:1:ffff::1", True),
        ("2001:db8:1::1", "2001:db8:2::1", False),
        ("::1", "0:0:0:1::1", True),
    ],
)
def test_a_site_is_an_ipv6_network_of_48_bits(one: str, other: str, *, is_same: bool) -> None:
    sites = [block_site(address_block(ip_address(text))) for text in (one, other)]
    assert (sites[0] == sites[1]) is is_same


@given(st.ip_addresses(v=4))
def test_ipv4_has_no_sites(address: IPv4Address) -> None:
    assert address_block(address) < FIRST_IPV6_BLOCK
    assert address_block(IPv6Address(0x64FF9B << 96 | int(address))) == address_block(address)


@pytest.mark.parametrize(
    ("address", "bound"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_an_address_to_bind_keeps_its_zone(address: str, bound: str) -> None:
    assert str(unmapped(ip_address(address))) == bound
