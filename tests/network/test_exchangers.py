"""MX records, asked of a name server on loopback."""

import asyncio

import pytest

from restante.network.resolver import DnsResolver, Exchanger, LookupFailed
from tests.acceptance.name_server import ADDRESS, NameServer, Records

RECORDS: Records = {
    "a.example": {"MX": ["20 Backup.a.example.", "10 mx.a.example."]},
    "null.example": {"MX": ["0 ."]},
    "none.example": {"A": ["192.0.2.1"]},
    "broken.example": {"MX": ["10 mx.a.example."]},
}


def exchangers(domain: str) -> tuple[Exchanger, ...]:
    with NameServer(RECORDS) as names:
        names.failing = {"broken.example"}
        resolver = DnsResolver([(ADDRESS, names.port)])
        return asyncio.run(resolver.exchangers(domain))


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        ("a.example", (Exchanger(10, "mx.a.example"), Exchanger(20, "backup.a.example"))),
        ("null.example", (Exchanger(0, ""),)),
        ("none.example", ()),
    ],
)
def test_they_come_in_the_order_of_preference(domain: str, found: tuple[Exchanger, ...]) -> None:
    assert exchangers(domain) == found


@pytest.mark.parametrize(("domain", "is_temporary"), [("gone.example", False), ("broken.example", True)])
def test_a_failure_says_whether_it_may_pass(domain: str, is_temporary: bool) -> None:
    with pytest.raises(LookupFailed, match=domain) as caught:
        exchangers(domain)
    assert caught.value.is_temporary == is_temporary
