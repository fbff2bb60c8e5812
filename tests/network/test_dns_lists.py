"""The block lists that an address is on, asked of a name server on loopback."""

import asyncio
import ipaddress

import pytest

from restante.network.dns_lists import (
    FAILURE_SECONDS,
    LISTED_SECONDS,
    NO_LIST_ANSWERED,
    SHORTEST_SECONDS,
    DnsListAnswer,
    DnsListing,
    DnsListLookup,
    list_seconds,
)
from tests.acceptance.name_server import ADDRESS, NameServer, Records

ZONES = ("one.example", "two.example", "three.example")


def listed(address: str, zone: str) -> str:
    return ".".join([*ipaddress.ip_address(address).reverse_pointer.split(".")[:-2], zone])


RECORDS: Records = {
    listed("192.0.2.1", "one.example"): {"A": ["127.0.0.4", "127.0.0.2"]},
    listed("192.0.2.1", "three.example"): {"A": ["127.0.0.9"]},
    listed("192.0.2.2", "one.example"): {"A": ["127.255.255.254"]},
    listed("192.0.2.3", "one.example"): {"A": ["127.0.0.1"]},
    listed("192.0.2.4", "one.example"): {"A": ["198.51.100.1"]},
    listed("192.0.2.5", "one.example"): {"TXT": ["x"]},
    listed("192.0.2.7", "one.example"): {"A": ["127.255.255.255", "127.0.0.2"]},
    listed("2001:db8::1", "two.example"): {"A": ["127.0.0.2"]},
}


def answer(address: str, time_to_live: int = 0) -> DnsListAnswer:
    with NameServer(RECORDS, time_to_live) as names:
        names.failing = {listed("192.0.2.6", "two.example")}
        lookup = DnsListLookup([(ADDRESS, names.port)], lambda: ZONES)
        return asyncio.run(lookup.answer(ipaddress.ip_address(address)))


@pytest.mark.parametrize(
    ("address", "listings", "is_whole"),
    [
        ("192.0.2.1", [("one.example", "127.0.0.2"), ("three.example", "127.0.0.9")], True),
        ("2001:db8::1", [("two.example", "127.0.0.2")], True),
        ("192.0.2.2", [], False),
        ("192.0.2.3", [], True),
        ("192.0.2.4", [], True),
        ("192.0.2.5", [], True),
        ("192.0.2.6", [], False),
        ("192.0.2.7", [], False),
        ("192.0.2.99", [], True),
    ],
    ids=[
        "on two lists",
        "IPv6",
        "too many questions",
        "never listed",
        "a parked zone",
        "no address",
        "a failure",
        "a refusal beside a code",
        "on none",
    ],
)
def test_only_an_answer_that_means_a_listing_is_one(
    address: str, listings: list[tuple[str, str]], is_whole: bool
) -> None:
    found = answer(address)
    assert found.listings == tuple(DnsListing(*one) for one in listings)
    assert found.is_whole is is_whole


@pytest.mark.parametrize(
    ("found", "seconds"),
    [
        (DnsListAnswer(seconds=0.0), SHORTEST_SECONDS),
        (DnsListAnswer(seconds=300.0), 300.0),
        (DnsListAnswer(seconds=1e9), LISTED_SECONDS),
        (NO_LIST_ANSWERED, FAILURE_SECONDS),
    ],
)
def test_an_answer_is_kept_for_a_while(found: DnsListAnswer, seconds: float) -> None:
    assert list_seconds(found) == seconds


def test_without_zones_nothing_is_asked() -> None:
    lookup = DnsListLookup([(ADDRESS, 9)], lambda: ())
    assert asyncio.run(lookup.answer(ipaddress.ip_address("192.0.2.1"))) == DnsListAnswer()
