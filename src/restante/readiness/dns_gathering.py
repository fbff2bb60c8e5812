"""Gathers what DNS says about a domain and about this server.

The names follow from the domain, our host name and our addresses. Those of the MX records and of
SPF are looked up to a limit. Nothing connects to the addresses that are found.

The one exception is the policy of MTA-STS. It is fetched by HTTPS from a name under the domain,
from public addresses only. No redirect is followed, and at most 64 KiB are read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from typing import Final

from restante.network.addresses import plain_address
from restante.network.dns_records import DnsRecords, DnsRecordSet
from restante.network.outgoing_http import OutgoingFailed
from restante.network.served_certificate import ServedCertificate
from restante.network.source_address import source_address
from restante.network.tlsa_lookup import tlsa_records
from restante.network.trust_store import system_authorities
from restante.readiness.dns_facts import (
    NO_RECORDS,
    BlocklistFinding,
    DmarcFinding,
    DnsFacts,
    MailHost,
    OwnHostFacts,
    SourceAddress,
    StsFinding,
)
from restante.readiness.mta_sts import announces_sts
from restante.readiness.own_trust import distrust
from restante.readiness.spf_lookup import find_spf
from restante.tenancy.model import IpAddress

LOOKUP_SECONDS: Final = 5.0  # for one question; the stages of them have to end within a minute
MOST_HOSTS: Final = 10  # of the MX records that are looked up
MOST_LISTS: Final = 20
MOST_PARENTS: Final = 4  # above the domain, where a DMARC record may be
_SMTP_PORT: Final = 25
_FEWEST_LABELS: Final = 2
_ADDRESS_KINDS: Final = ("A", "AAAA")
# Networks that a destination elsewhere never sees: there is a translator in between.
_INSIDE_4: Final = tuple(
    map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
)
_INSIDE_6: Final = tuple(map(IPv6Network, ("fc00::/7", "fe80::/10")))

StsFetch = Callable[[str], Awaitable[str]]  # of a URL's text; raises OutgoingFailed


@dataclass(frozen=True, slots=True)
class DomainLookup:
    """The domain to look at, and how it is reached."""

    domain: str
    hostname: str  # our own
    targets: Sequence[IpAddress]  # addresses of the destination, as far as they are known
    certificates: tuple[ServedCertificate, ...] = ()  # that we show
    blocklists: Sequence[str] = ()  # zones in which our addresses are looked up
    tlsa_at: tuple[str, int] | None = None  # the destination's host and port; None for an address
    at: float = 0.0  # Unix time at which certificates have to be valid


class TimedRecords:
    """Looks records up, each within a time."""

    def __init__(self, records: DnsRecords, seconds: float = LOOKUP_SECONDS) -> None:
        self._records = records
        self._seconds = seconds

    async def records(self, name: str, kind: str) -> DnsRecordSet:
        """Return the records of a name, or that they did not come in time."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._records.records(name, kind)
        except TimeoutError:
            return DnsRecordSet(failure="no name server answered in time")


async def gather_dns_facts(
    asked: DomainLookup, records: DnsRecords, fetch_policy: StsFetch
) -> DnsFacts:
    """Return the facts. Failures of DNS are facts too."""
    own, mx = await asyncio.gather(_own_host(asked, records), records.records(asked.domain, "MX"))
    hosts, tlsa, dmarc, sts, tls_rpt, spf = await asyncio.gather(
        _mail_hosts(mx, records),
        _tlsa(asked.tlsa_at, records),
        _dmarc(asked.domain, records),
        _sts(asked.domain, records, fetch_policy),
        records.records(f"_smtp._tls.{asked.domain}", "TXT"),
        asyncio.gather(
            *(find_spf(records, one, asked.domain, asked.hostname) for one in own.outgoing)
        ),
    )
    asked_for = _of_tls_rpt(tls_rpt)
    facts = DnsFacts(asked.domain, own, mx, hosts, tuple(spf), dmarc, sts, asked_for, tlsa)
    found = await asyncio.to_thread(_distrust, facts, asked.at)
    return replace(facts, own=replace(own, distrust=found))


def _distrust(facts: DnsFacts, at: float) -> Mapping[str, str] | None:
    """Return why clients refuse us, for each of our names; None where that is not known."""
    authorities = system_authorities() if facts.own.certificates else []
    if not authorities:
        return None
    shown = {name: facts.own.certificate_for(name) for name in facts.own_names}
    return {
        name: distrust(one, name, authorities, at) for name, one in shown.items() if one is not None
    }


def outgoing_sources(targets: Sequence[IpAddress]) -> tuple[IpAddress, ...]:
    """Return our addresses on the way to these, one for each version of IP."""
    firsts = {target.version: target for target in reversed(targets)}
    found = [source_address(firsts[version]) for version in sorted(firsts)]
    return tuple(one for one in found if one is not None)


async def _own_host(asked: DomainLookup, records: DnsRecords) -> OwnHostFacts:
    name = asked.hostname
    addresses = await _address_sets(name, records)
    targets = asked.targets or tuple(ip_address(value) for one in addresses for value in one.values)
    sources = await asyncio.gather(*(_source(one, records) for one in outgoing_sources(targets)))
    bare = OwnHostFacts(name, addresses, tuple(sources), certificates=asked.certificates)
    spf, listed = await asyncio.gather(
        asyncio.gather(*(find_spf(records, one, name, name) for one in bare.outgoing)),
        asyncio.gather(
            *(
                _listed(ip_address(one), zone, records)
                for one in bare.outgoing
                for zone in asked.blocklists[:MOST_LISTS]
            )
        ),
    )
    return replace(bare, spf=tuple(spf), blocklists=tuple(listed))


async def _listed(address: IpAddress, zone: str, records: DnsRecords) -> BlocklistFinding:
    reverse = address.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    found = await records.records(f"{reverse}.{zone}", "A")
    return BlocklistFinding(str(address), zone, found.values, found.failure)


async def _address_sets(name: str, records: DnsRecords) -> tuple[DnsRecordSet, ...]:
    return tuple(await asyncio.gather(*(records.records(name, kind) for kind in _ADDRESS_KINDS)))


async def _source(address: IpAddress, records: DnsRecords) -> SourceAddress:
    names = await records.records(address.reverse_pointer, "PTR")
    return SourceAddress(str(address), names, is_inside(address))


def is_inside(address: IpAddress) -> bool:
    """Tell whether a host elsewhere sees another address in place of this one."""
    plain = plain_address(address)
    if isinstance(plain, IPv4Address):
        return any(plain in network for network in _INSIDE_4)
    return any(plain in network for network in _INSIDE_6)


async def _mail_hosts(mx: DnsRecordSet, records: DnsRecords) -> tuple[MailHost, ...]:
    pairs = [value.split(" ", 1) for value in mx.values]
    ordered = sorted((int(preference), host) for preference, host in pairs)

    async def looked_up(place: int, preference: int, host: str) -> MailHost:
        if not host or place >= MOST_HOSTS:
            return MailHost(host, preference)
        sets = await _address_sets(host, records)
        tlsa = await tlsa_records(records, host, _SMTP_PORT, sets)
        addresses = tuple(one for each in sets for one in each.values)
        base = "" if tlsa.base == host else tlsa.base
        return MailHost(host, preference, addresses, tlsa.found, base)

    found = (looked_up(place, *one) for place, one in enumerate(ordered))
    return tuple(await asyncio.gather(*found))


async def _tlsa(at: tuple[str, int] | None, records: DnsRecords) -> DnsRecordSet:
    if at is None:
        return NO_RECORDS
    host, port = at
    return (await tlsa_records(records, host, port, await _address_sets(host, records))).found


async def _dmarc(domain: str, records: DnsRecords) -> DmarcFinding:
    """Return the policy of the domain, or of the nearest domain above it that has one."""
    labels = domain.split(".")
    for above in range(min(MOST_PARENTS + 1, len(labels) - _FEWEST_LABELS + 1)):
        name = f"_dmarc.{'.'.join(labels[above:])}"
        found = await records.records(name, "TXT")
        if found.failure:
            return DmarcFinding(failure=found.failure)
        for text in found.values:
            tags = _tags(text)
            if tags.get("v") == "DMARC1":
                policy = tags.get("p", "none")
                return DmarcFinding(tags.get("sp", policy) if above else policy, name)
    return DmarcFinding()


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";"))
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}


async def _sts(domain: str, records: DnsRecords, fetch: StsFetch) -> StsFinding:
    announced = await records.records(f"_mta-sts.{domain}", "TXT")
    if announced.failure or not announces_sts(announced.values):
        return StsFinding(announced)
    try:
        text = await fetch(f"https://mta-sts.{domain}/.well-known/mta-sts.txt")
    except OutgoingFailed as error:
        return StsFinding(announced, failure=str(error))
    return StsFinding(announced, text)


def _of_tls_rpt(found: DnsRecordSet) -> DnsRecordSet:
    """Return the records that ask for reports (RFC 8460 §3); a wildcard may have others."""
    values = tuple(one for one in found.values if one.startswith("v=TLSRPTv1"))
    return DnsRecordSet(values, found.seconds, found.is_secure, found.failure)
