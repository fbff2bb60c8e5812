"""The records of DNS to publish for a domain, compared with those that DNS has now.

The configured name servers are asked about the domain, our own names and our addresses. Nothing
connects to a host of an answer. The policy of MTA-STS is fetched from a name under the domain, and
from public addresses only. Without an answer in time, a record is shown as unknown.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from pydantic import BaseModel

from restante.admin.admin_context import AdminContext
from restante.admin.destinations import allow_dial, is_local
from restante.admin.domains import find_domain
from restante.admin.permissions import AdminAction, permit
from restante.admin.published_records import (
    DnsQuestion,
    OwnHost,
    PublicationFacts,
    PublishedRecord,
    RecordPurpose,
    RecordState,
    first_questions,
    later_questions,
    mx_hosts_of,
    published_records,
    sts_name,
)
from restante.network.addresses import peer_address, split_host_port
from restante.network.dns_records import DnsRecords, DnsRecordSet
from restante.network.outgoing_http import OutgoingFailed, OutgoingHttp
from restante.network.resolver import Resolver
from restante.network.served_certificate import ServedCertificate
from restante.network.source_address import source_address
from restante.readiness.dns_facts import StsFinding
from restante.readiness.mta_sts import announces_sts
from restante.readiness.sts_fetching import policy_fetcher
from restante.request_limits.dial_limits import DialPurpose
from restante.tenancy.model import IpAddress

LOOKUP_SECONDS: Final = 5.0  # for all questions of one stage
MOST_ADDRESSES: Final = 8  # of our host name that are looked at
_SMTP: Final = frozenset({"mx", "smtps"})
# Addresses of documentation (RFC 5737, RFC 3849) have the route of any other. Nothing is sent.
_ELSEWHERE: Final = (ip_address("192.0.2.1"), ip_address("2001:db8::1"))
# Networks in which others cannot reach us: there is a translator in between.
_INSIDE: Final[tuple[IPv4Network | IPv6Network, ...]] = (
    *map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")),
    *map(IPv6Network, ("fc00::/7", "fe80::/10")),
)
_LATE: Final = DnsRecordSet(failure="no name server answered in time")


class RecordView(BaseModel):
    """One record to publish, beside those that DNS has in its place."""

    purpose: RecordPurpose
    name: str
    type: str
    value: str  # as in a zone file; "" where it is not known
    line: str  # the whole line of a zone file
    state: RecordState
    is_optional: bool
    found: list[str]
    note: str


class DomainDnsView(BaseModel):
    """The records to publish for a domain."""

    domain: str
    host: str  # the name of this server that senders use
    records: list[RecordView]


async def show_dns(context: AdminContext, name: str) -> DomainDnsView:
    """Return the records of a domain, compared with DNS. Raises AdminError."""
    permit(context.principal, AdminAction.DOMAIN_SHOW)
    domain = find_domain(context, name)
    allow_dial(context, DialPurpose.RECORDS, f"domain {domain.name}", domain.name)
    network = context.network
    asked = first_questions(domain.name, network.hostname)
    answers = await _ask(asked, network.records)
    served = network.certificates()
    host = _host_for(domain.name, network.hostname, answers[domain.name, "MX"], served)
    bare = PublicationFacts(
        domain.name,
        host,
        OwnHost(network.hostname, _own_addresses(context)),
        _keys_for(host, served),
        answers,
    )
    published = bare.addresses(network.hostname)[:MOST_ADDRESSES]
    local = frozenset(one for one in published if is_local(ip_address(one)))
    facts = replace(bare, own=replace(bare.own, local=local - _loopback(local)))
    answers |= await _ask(set(later_questions(facts)) - answers.keys(), network.records)
    announced = answers[sts_name(domain.name), "TXT"]
    policy = await _policy(domain.name, announced, network.resolver)
    records = published_records(replace(facts, policy=policy))
    return DomainDnsView(domain=domain.name, host=host, records=[_view(one) for one in records])


async def _policy(domain: str, announced: DnsRecordSet, resolver: Resolver) -> StsFinding:
    """Return the policy of MTA-STS, if one is announced. It comes from public addresses only."""
    if not announces_sts(announced.values):
        return StsFinding(announced)
    host, fetch = (
        f"mta-sts.{domain}",
        policy_fetcher(OutgoingHttp(resolver, lambda: LOOKUP_SECONDS)),
    )
    try:
        text = await fetch(f"https://{host}/.well-known/mta-sts.txt")
    except OutgoingFailed as error:
        cause = str(error).removeprefix(f"{host}: ")
        return StsFinding(announced, failure=f"{host}: {cause}")
    return StsFinding(announced, text=text)


async def _ask(
    questions: Iterable[DnsQuestion], records: DnsRecords
) -> dict[DnsQuestion, DnsRecordSet]:
    """Return the answers that came in time; of the others, that they did not."""
    asked = {one: asyncio.ensure_future(records.records(*one)) for one in questions}
    if not asked:
        return {}
    try:
        await asyncio.wait(asked.values(), timeout=LOOKUP_SECONDS)
        return {one: task.result() if task.done() else _LATE for one, task in asked.items()}
    finally:
        for task in asked.values():
            task.cancel()
        await asyncio.gather(*asked.values(), return_exceptions=True)


def _host_for(
    domain: str, hostname: str, mx: DnsRecordSet, served: Sequence[ServedCertificate]
) -> str:
    """Return the name that the MX record has, otherwise one that we have a certificate for."""
    named = {host for one in served for host in one.hosts}
    in_use = [host for _, host in mx_hosts_of(mx) if host == hostname or host in named]
    within = sorted(host for host in named if host.endswith(f".{domain}") and "*" not in host)
    return next(iter([*in_use, *within, hostname]))


def _keys_for(host: str, served: Sequence[ServedCertificate]) -> tuple[str, ...]:
    """Return the keys that a client gets who asks for a name: the default ones come first."""
    default, named = served[:1], served[1:]
    chosen = [one for one in named if host in one.hosts] or [
        one for one in named if one.covers(host)
    ]
    return next((one.keys for one in (*chosen, *default)), ())


def _own_addresses(context: AdminContext) -> tuple[str, ...]:
    """Return the addresses at which others reach our SMTP listeners, as far as they are known."""
    found: dict[str, None] = {}
    for host, _ in _listening(context):
        address = peer_address(host)
        own = [address]
        if address.is_unspecified:
            routed = (source_address(one) for one in _ELSEWHERE if one.version == address.version)
            own = [one for one in routed if one is not None]
        found |= {str(one): None for one in own if not _is_inside(one)}
    return tuple(found)


def _listening(context: AdminContext) -> Sequence[tuple[str, int]]:
    if context.server is None:
        return context.network.own_addresses
    smtp = [one.address for one in context.server.listeners() if one.service in _SMTP]
    return [split_host_port(one) for one in smtp]


def _is_inside(address: IpAddress) -> bool:
    return address.is_loopback or any(address in network for network in _INSIDE)


def _loopback(addresses: Iterable[str]) -> frozenset[str]:
    return frozenset(one for one in addresses if ip_address(one).is_loopback)


def _view(record: PublishedRecord) -> RecordView:
    return RecordView(
        purpose=record.purpose,
        name=record.name,
        type=record.kind,
        value=record.value,
        line=record.line,
        state=record.state,
        is_optional=record.is_optional,
        found=list(record.found),
        note=record.note,
    )
