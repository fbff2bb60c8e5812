"""Addresses that strangers may have us connect to, and those next to them that they may not."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.network.public_address import is_public

NOT_PUBLIC = """
    0.0.0.0 0.1.2.3 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.254
    169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1
    198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:8.8.8.8 64:ff9b::7f00:1
    64:ff9b::808:808
    64:ff9b:1::1 100::1 2001::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3ffe::1
    3fff:fff::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%v0 fec0::1 ff02::1 ff0e::1
    2a00:1450::5efe:7f00:1 2a00:1450::200:5efe:a00:1
"""
PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1
    169.253.255.255 172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 192.169.0.0 198.17.255.255
    198.20.0.0 223.255.255.255 2001:200::1 2001:4860:4860::8888 2003::1 2606:4700::1111 2a00:1450::1
"""


@pytest.mark.parametrize("text", NOT_PUBLIC.split())
def test_it_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC.split())
def test_it_is_public(text: str) -> None:
    assert is_public(ip_address(text))


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_none_is_public_that_the_standard_library_knows_as_special(
    address: IPv4Address | IPv6Address,
) -> None:
    special = (address.is_private, address.is_loopback, address.is_link_local, address.is_multicast)
    assert not (any(special) or address.is_reserved or address.is_unspecified) or not is_public(
        address
    )
