"""The place of a host's TLSA records, where the host is an alias."""

import asyncio
from dataclasses import dataclass, field

import pytest

from restante.network.dns_records import DnsRecordSet
from restante.network.tlsa_lookup import TlsaAnswer, tlsa_name, tlsa_records

HOST, END = "mx.a.example", "mail.host.example"
FOUND = DnsRecordSet(("3 1 1 ab",), is_secure=True)
NOT_VALIDATED = DnsRecordSet(("3 1 1 ab",))
SILENT = DnsRecordSet(failure="no name server answered in time")
NONE = DnsRecordSet()


@dataclass
class Answers:
    """TLSA records by their names, and the names that were asked."""

    known: dict[str, DnsRecordSet]
    asked: list[str] = field(default_factory=list)

    async def records(self, name: str, kind: str) -> DnsRecordSet:
        assert kind == "TLSA"
        self.asked.append(name)
        return self.known.get(name, NONE)


@pytest.mark.parametrize(
    ("at_end", "at_host", "base", "found"),
    [
        (FOUND, SILENT, END, FOUND),
        (SILENT, FOUND, END, SILENT),
        (NONE, FOUND, HOST, FOUND),
        (NOT_VALIDATED, FOUND, HOST, FOUND),
        (NONE, NONE, HOST, NONE),
    ],
)
def test_the_end_of_validated_aliases_comes_first(
    at_end: DnsRecordSet, at_host: DnsRecordSet, base: str, found: DnsRecordSet
) -> None:
    names = Answers({tlsa_name(END, 25): at_end, tlsa_name(HOST, 25): at_host})
    address = DnsRecordSet(("192.0.2.1",), is_secure=True, alias_of=END)
    assert asyncio.run(tlsa_records(names, HOST, 25, [NONE, address])) == TlsaAnswer(base, found)


@pytest.mark.parametrize(
    "address",
    [
        DnsRecordSet(("192.0.2.1",), alias_of=END),
        DnsRecordSet(("192.0.2.1",), is_secure=True),
        DnsRecordSet(is_secure=True, alias_of=END),
    ],
)
def test_otherwise_the_host_itself_is_asked_alone(address: DnsRecordSet) -> None:
    names = Answers({tlsa_name(END, 2525): FOUND})
    assert asyncio.run(tlsa_records(names, HOST, 2525, [address])) == TlsaAnswer(HOST, NONE)
    assert names.asked == ["_2525._tcp.mx.a.example"]
