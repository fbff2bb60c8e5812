"""The facts that DNS has about a domain and about this server. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from restante.network.dns_records import DnsRecordSet
from restante.network.served_certificate import ServedCertificate

NO_RECORDS = DnsRecordSet()


@dataclass(frozen=True, slots=True)
class MailHost:
    """One host of the domain's MX records."""

    host: str  # "" in a null MX (RFC 7505)
    preference: int
    addresses: tuple[str, ...] = ()  # as far as they are known
    tlsa: DnsRecordSet = NO_RECORDS  # of its port 25
    tlsa_base: str = ""  # the end of its aliases, if the records are there; "" for its own name


@dataclass(frozen=True, slots=True)
class BlocklistFinding:
    """The answer of one DNS block list about one of our addresses (RFC 5782)."""

    address: str
    zone: str
    codes: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True, slots=True)
class SourceAddress:
    """An address from which this server connects to the destination."""

    address: str
    names: DnsRecordSet = NO_RECORDS  # its PTR records
    is_inside: bool = False  # of a private network, so the destination sees another one

    def is_named(self, hostname: str) -> bool:
        """Tell whether its PTR record is our host name."""
        return hostname in self.names.values


@dataclass(frozen=True, slots=True)
class SpfFinding:
    """The result of SPF for mail from one address (RFC 7208)."""

    address: str
    result: str  # as in RFC 7208 §2.6
    matched: str = ""  # the term that decided; "" if none matched
    reason: str = ""  # of an error
    record: str = ""  # the policy of the domain itself


@dataclass(frozen=True, slots=True)
class DmarcFinding:
    """The DMARC policy that applies to the domain."""

    policy: str = ""  # none, quarantine or reject; "" without a record
    found_at: str = ""  # the name of the record
    failure: str = ""


@dataclass(frozen=True, slots=True)
class StsFinding:
    """The MTA-STS policy of the domain."""

    announced: DnsRecordSet = NO_RECORDS
    text: str = ""  # of the policy
    failure: str = ""  # why the policy was not read


@dataclass(frozen=True, slots=True)
class OwnHostFacts:
    """How this server is named in DNS."""

    hostname: str
    addresses: tuple[DnsRecordSet, ...] = ()  # A and AAAA
    sources: tuple[SourceAddress, ...] = ()
    spf: tuple[SpfFinding, ...] = ()  # of the host name as the sender
    certificates: tuple[ServedCertificate, ...] = ()  # that we show; () if nobody here knows
    blocklists: tuple[BlocklistFinding, ...] = ()
    distrust: Mapping[str, str] | None = None  # of our hosts, as own_trust.py says; None: unknown

    @property
    def published(self) -> tuple[str, ...]:
        """The addresses of the host name."""
        return tuple(value for one in self.addresses for value in one.values)

    def certificate_for(self, host: str) -> ServedCertificate | None:
        """Return the certificate that a client gets who asks for a name; the first otherwise."""
        exact = [one for one in self.certificates if host in one.hosts]
        covering = [one for one in self.certificates if one.covers(host)]
        return next(iter([*exact, *covering, *self.certificates]), None)

    @property
    def outgoing(self) -> tuple[str, ...]:
        """The addresses that a destination sees, as far as they are known here."""
        seen = tuple(one.address for one in self.sources if not one.is_inside)
        return seen or self.published


@dataclass(frozen=True, slots=True)
class DnsFacts:
    """Everything that was looked up."""

    domain: str
    own: OwnHostFacts
    mx: DnsRecordSet = NO_RECORDS
    hosts: tuple[MailHost, ...] = ()  # in the order of their preference
    spf: tuple[SpfFinding, ...] = ()  # of the domain as the sender, from our addresses
    dmarc: DmarcFinding = field(default_factory=DmarcFinding)
    sts: StsFinding = field(default_factory=StsFinding)
    tls_rpt: DnsRecordSet = NO_RECORDS
    destination_tlsa: DnsRecordSet = NO_RECORDS  # of the destination's own name and port

    @property
    def own_hosts(self) -> tuple[MailHost, ...]:
        """The hosts of the MX records that are this server, by name or by address."""
        return tuple(one for one in self.hosts if self._is_own(one))

    @property
    def own_names(self) -> tuple[str, ...]:
        """The names by which senders reach this server, now or later."""
        return tuple(one.host for one in self.own_hosts) or (self.own.hostname,)

    @property
    def other_hosts(self) -> tuple[MailHost, ...]:
        """The other hosts of the MX records."""
        return tuple(one for one in self.hosts if one.host and not self._is_own(one))

    def _is_own(self, one: MailHost) -> bool:
        ours = {*self.own.published, *self.own.outgoing}
        return one.host == self.own.hostname or bool(ours.intersection(one.addresses))
