"""Where mail may go, and that it never comes back."""

import ipaddress
from dataclasses import replace

import pytest

from restante.delivery.route import Endpoint, NoRoute, leads_home, recorded_address, route
from restante.tenancy.model import Destination, IpAddress

OWN = [("0.0.0.0", 25), ("192.0.2.9", 2525), ("::", 465)]


def ip(text: str) -> IpAddress:
    return ipaddress.ip_address(text)


def test_all_addresses_are_tried_in_the_order_given() -> None:
    destination = Destination("p.example", 26)
    endpoints = route(
        destination, [ip("192.0.2.1"), ip("2001:db8::1"), ip("192.0.2.1")], "mx2.example.net", OWN
    )
    assert [endpoint.text for endpoint in endpoints] == ["192.0.2.1:26", "[2001:db8::1]:26"]


def test_a_destination_recorded_as_an_address_needs_no_lookup() -> None:
    assert recorded_address(Destination("2001:db8::1")) == ip("2001:db8::1")
    assert recorded_address(Destination("::ffff:192.0.2.1")) == ip("192.0.2.1")
    assert recorded_address(Destination("p.example")) is None


@pytest.mark.parametrize(
    ("host", "port", "address"),
    [
        ("mx2.example.net", 25, "192.0.2.1"),
        ("p.example", 2525, "192.0.2.9"),
        ("p.example", 25, "127.0.0.1"),
        ("p.example", 25, "127.9.9.9"),
        ("p.example", 465, "::1"),
    ],
)
def test_we_are_no_destination(host: str, port: int, address: str) -> None:
    with pytest.raises(NoRoute, match="this server"):
        route(Destination(host, port), [ip("198.51.100.1"), ip(address)], "mx2.example.net", OWN)


def test_no_address_is_no_route() -> None:
    with pytest.raises(NoRoute, match="no address"):
        route(Destination("p.example"), [], "mx2.example.net", OWN)


@pytest.mark.parametrize(
    ("address", "port", "local", "is_home"),
    [
        ("192.0.2.7", 25, "192.0.2.7", True),  # our own address, where a wildcard listens
        ("192.0.2.7", 26, "192.0.2.7", False),  # this machine, another server
        ("192.0.2.7", 25, "192.0.2.8", False),
        ("192.0.2.7", 2525, "192.0.2.7", False),  # bound to another address
        ("2001:db8::1", 465, "2001:db8::1", True),
    ],
)
def test_an_address_behind_a_wildcard_listener_shows_once_connected(
    address: str, port: int, local: str, is_home: bool
) -> None:
    assert leads_home(Endpoint(ip(address), port), ip(local), OWN) is is_home


def test_a_link_local_address_keeps_its_zone() -> None:
    [endpoint] = route(
        Destination("fe80::aa%v0"), [ip("fe80::aa%v0")], "mx2.example.net", [("::", 26)]
    )
    assert endpoint.text == "[fe80::aa%v0]:25"
    assert recorded_address(Destination("fe80::aa%v0")) == ip("fe80::aa%v0")


@pytest.mark.parametrize("bound", ["127.0.0.1", "0.0.0.0"])
def test_an_ipv4_mapped_answer_leads_home_as_its_ipv4_address_does(bound: str) -> None:
    with pytest.raises(NoRoute, match="itself"):
        route(Destination("b.example"), [ip("::ffff:127.0.0.1")], "mx2.example.net", [(bound, 25)])


@pytest.mark.parametrize("private", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::ffff:8.8.4.4"])
def test_a_host_that_an_account_chose_is_reached_at_public_addresses_only(private: str) -> None:
    chosen = Destination("p.example", 26, set_by="alpha")
    addresses = [ip(private), ip("8.8.8.8")]
    assert [one.text for one in route(chosen, addresses, "mx2", [])] == ["8.8.8.8:26"]
    with pytest.raises(NoRoute, match="no public address"):
        route(chosen, [ip(private)], "mx2", [])
    allowed = replace(chosen, may_be_private=True)
    assert len(route(allowed, addresses, "mx2", [])) == 2
    assert len(route(replace(chosen, set_by=""), addresses, "mx2", [])) == 2


def test_nothing_leads_to_a_destination_without_a_host() -> None:
    with pytest.raises(NoRoute, match="leaves by ATRN only"):
        route(Destination(""), (), "mx2.example.net", ())
