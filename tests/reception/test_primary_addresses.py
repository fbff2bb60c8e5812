"""Which addresses are authorized hosts of some domain, answered from an index."""

import ipaddress
from dataclasses import replace

import pytest

from restante.reception.primary_addresses import ExpectedHosts
from restante.release.authorization import is_authorized_host
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.tenancy.model import (
    Destination,
    Directory,
    HostedDomain,
    IpAddress,
    parse_authorized_hosts,
)

ENTRIES = (
    ("192.0.2.10",),
    ("198.51.100.0/24", "2001:db8:1::/48"),
    ("2001:db8:2::5", "0.0.0.0/32"),
    ("mail.customer.example",),
    (),
)
MOVED = ipaddress.ip_address("203.0.113.9")


def directory(*allowed: tuple[str, ...]) -> Directory:
    """A domain for each list of authorized hosts."""
    domains = [
        HostedDomain(
            number,
            f"d{number}.example",
            "a",
            Destination("127.0.0.1"),
            parse_authorized_hosts(texts),
            0.0,
        )
        for number, texts in enumerate(allowed, 1)
    ]
    return Directory(domains={domain.name: domain for domain in domains})


class Scene:
    """Records and known names that a test replaces."""

    def __init__(self, *allowed: tuple[str, ...]) -> None:
        self.live = LiveDirectory(MemoryStore().records)
        self.live.now = directory(*allowed)
        self.names: dict[str, frozenset[IpAddress]] = {"mail.customer.example": frozenset({MOVED})}
        self.expected = ExpectedHosts(self.live, lambda: self.names)

    def is_authorized(self, address: str) -> bool:
        return self.expected.is_authorized(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "192.0.2.10",
        "192.0.2.11",
        "198.51.100.0",
        "198.51.100.255",
        "198.51.101.0",
        "2001:db8:1:ffff::1",
        "2001:db8:2::5",
        "2001:db8:2::6",
        "0.0.0.0",
        "::",
        "203.0.113.9",
        "203.0.113.10",
    ],
)
def test_the_index_answers_as_each_domain_would(address: str) -> None:
    scene = Scene(*ENTRIES)
    peer = ipaddress.ip_address(address)
    domains = scene.live.now.domains.values()
    one_by_one = any(
        is_authorized_host(peer, each.authorized_hosts, scene.names) for each in domains
    )
    assert scene.is_authorized(address) is one_by_one


def test_the_whole_internet_may_be_authorized() -> None:
    scene = Scene(("0.0.0.0/0",))
    assert scene.is_authorized("203.0.113.77")
    assert not scene.is_authorized("2001:db8::1")


def test_a_changed_record_counts_at_once() -> None:
    scene = Scene(("192.0.2.10",))
    assert scene.is_authorized("192.0.2.10")
    scene.live.now = directory(("192.0.2.20",))
    assert [scene.is_authorized(each) for each in ("192.0.2.10", "192.0.2.20")] == [False, True]


def test_a_host_name_counts_by_what_is_known_of_it_now() -> None:
    scene = Scene(("mail.customer.example",))
    assert scene.is_authorized("203.0.113.9")
    scene.names = {"mail.customer.example": frozenset({ipaddress.ip_address("203.0.113.10")})}
    assert [scene.is_authorized(each) for each in ("203.0.113.9", "203.0.113.10")] == [False, True]
    scene.names = {}
    assert not scene.is_authorized("203.0.113.10")


def test_an_account_has_an_index_of_its_own() -> None:
    scene = Scene(*ENTRIES)
    of_b = replace(scene.live.now.domains["d1.example"], account="b")
    scene.live.now = Directory(domains={**scene.live.now.domains, of_b.name: of_b})
    for address in ("192.0.2.10", "198.51.100.7", "203.0.113.9", "203.0.113.10"):
        peer = ipaddress.ip_address(address)
        for account in ("a", "b", "nobody"):
            one_by_one = any(
                is_authorized_host(peer, each.authorized_hosts, scene.names)
                for each in scene.live.now.domains_of(account)
            )
            assert scene.expected.is_authorized_for(account, peer) is one_by_one
    scene.names = {}
    assert not scene.expected.is_authorized_for("a", ipaddress.ip_address("203.0.113.9"))
