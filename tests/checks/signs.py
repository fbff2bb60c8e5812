"""Facts and block lists for the tests of hygiene."""

import asyncio
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

from restante.checks.check import ClientFacts, ExaminedRecipient
from restante.mail.address import Mailbox
from restante.network.dns_lists import DnsListAnswer, DnsListing
from restante.tenancy.model import Destination, HostedDomain, IpAddress, parse_authorized_hosts
from restante.tenancy.policy import HygienePolicy, OwnDomainPolicy, Policy

HOSTS = parse_authorized_hosts(["198.51.100.0/24", "0.0.0.0/0"])
DOMAIN = HostedDomain(1, "a.example", "alpha", Destination("mail.a.example"), HOSTS, 0.0)
STRANGER = ClientFacts(ip_address("192.0.2.1"), "c.example", "mx2.example.net")


def facts(
    hygiene: HygienePolicy = HygienePolicy.MARK,
    own_domain: OwnDomainPolicy = OwnDomainPolicy.ALLOW,
    client: ClientFacts = STRANGER,
    reverse_path: Mailbox | None = None,
) -> ExaminedRecipient:
    """A recipient of a domain with this policy."""
    domain = replace(DOMAIN, policy=Policy(hygiene=hygiene, own_domain=own_domain))
    return ExaminedRecipient(client, reverse_path, Mailbox("one", "a.example"), domain)


def listed_at(*zones: str, is_whole: bool = True) -> DnsListAnswer:
    """An answer with these listings."""
    return DnsListAnswer(tuple(DnsListing(zone, "127.0.0.2") for zone in zones), is_whole)


@dataclass
class BlockLists:
    """Lists that answer at once, later, or never."""

    answer: DnsListAnswer = field(default_factory=DnsListAnswer)
    seconds: float | None = 0.0  # None: never
    asked: list[IpAddress] = field(default_factory=list)
    pending: "list[asyncio.Future[DnsListAnswer]]" = field(default_factory=list)

    def find(self, address: IpAddress) -> "DnsListAnswer | asyncio.Future[DnsListAnswer]":
        """Answer as the test wants it."""
        self.asked.append(address)
        if self.seconds == 0.0:
            return self.answer
        loop = asyncio.get_running_loop()
        found = loop.create_future()
        self.pending.append(found)
        if self.seconds is not None:
            loop.call_later(self.seconds, found.set_result, self.answer)
        return found
