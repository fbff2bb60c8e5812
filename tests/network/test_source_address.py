"""Our address on the way to another host."""

from ipaddress import ip_address

import pytest

from restante.network.source_address import source_address


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_it_is_the_one_of_the_route(address: str) -> None:
    assert source_address(ip_address(address)) == ip_address(address)


def test_without_a_route_there_is_none() -> None:
    assert source_address(ip_address("2001:db8:ffff::1")) is None
