"""The client behind proxies: nobody but a trusted proxy can say who it is."""

import ipaddress

import pytest

from restante.web.client_address import client_address, is_trusted

PROXIES = (ipaddress.ip_network("10.0.0.0/24"), ipaddress.ip_network("fd00::/64"))
PROXY = ipaddress.ip_address("10.0.0.5")
CLIENT = "192.0.2.7"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ([], "10.0.0.5"),
        ([b""], "10.0.0.5"),
        ([b"192.0.2.7"], CLIENT),
        ([b"192.0.2.7:4711"], CLIENT),
        ([b" 192.0.2.7 , 10.0.0.6"], CLIENT),
        ([b"192.0.2.7", b"10.0.0.6"], CLIENT),
        ([b"198.51.100.1, 192.0.2.7"], CLIENT),  # the client's own words come first
        ([b"10.0.0.9"], "10.0.0.9"),
        ([b"192.0.2.7, nonsense"], "10.0.0.5"),
        ([b"192.0.2.7, nonsense, 10.0.0.6"], "10.0.0.6"),
        ([b"2001:db8::1"], "2001:db8::1"),
        ([b"[2001:db8::1]:443, fd00::2"], "2001:db8::1"),
        ([b"::ffff:192.0.2.7"], CLIENT),
        ([b"uid:0"], "10.0.0.5"),
        ([b"\xff"], "10.0.0.5"),
        ([b"," * 9000], "10.0.0.5"),
        ([b"192.0.2.7" + b", 10.0.0.6" * 40], "10.0.0.6"),
    ],
)
def test_it_is_the_last_address_that_is_no_proxy(forwarded: list[bytes], client: str) -> None:
    assert str(client_address(PROXY, forwarded, PROXIES)) == client


def test_a_stranger_cannot_name_another_client() -> None:
    stranger = ipaddress.ip_address("198.51.100.1")
    assert client_address(stranger, [b"10.0.0.5", b"192.0.2.7"], PROXIES) == stranger
    assert client_address(PROXY, [b"192.0.2.7"], ()) == PROXY


def test_only_the_named_networks_are_trusted() -> None:
    assert is_trusted(PROXY, PROXIES)
    assert not is_trusted(ipaddress.ip_address("10.0.1.5"), PROXIES)
    assert not is_trusted(ipaddress.ip_address("fd00:0:0:1::1"), PROXIES)
