"""The records of DNS that a domain and this server need, and how they compare with DNS. Pure.

The domain needs an MX record that leads here. Our host name needs addresses, and these need a name
that leads back. The other records help: SPF for reports from this server, and MTA-STS, DANE and
TLS-RPT for senders that verify certificates.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Final

from restante.network.dns_records import DnsRecordSet
from restante.readiness.dns_facts import StsFinding
from restante.readiness.mta_sts import StsPolicy, announces_sts, read_sts_policy
from restante.stable_word import StableWord

DnsQuestion = tuple[str, str]  # a name, and a type of record

POLICY: Final = "policy"
OWN_SPF: Final = "v=spf1 a -all"
_BEHIND: Final = 10  # by which our preference is above that of the last other host
_ONLY: Final = 20  # our preference where no other host is known
_NOT_ASKED: Final = DnsRecordSet(failure="there was no time to look it up")


class RecordPurpose(StableWord):
    """The purpose of a record."""

    MX = "mx", "mail exchanger"
    ADDRESS = "address", "address of the mail exchanger"
    REVERSE = "reverse", "name of the address"
    SPF = "spf", "SPF of this server"
    TLSA = "tlsa", "DANE: key of the certificate"
    MTA_STS = "mta-sts", "MTA-STS: announcement"
    MTA_STS_POLICY = "mta-sts-policy", "MTA-STS: line of the policy"
    TLS_RPT = "tls-rpt", "reports about TLS"


class RecordState(StableWord):
    """How a record compares with DNS."""

    PRESENT = "present"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PublishedRecord:
    """A record to publish, beside those that DNS has in its place."""

    purpose: RecordPurpose
    name: str
    kind: str  # the type of record; POLICY: a line of the policy of MTA-STS, which is no record
    value: str  # as in a zone file; "" where it is not known
    state: RecordState
    found: tuple[str, ...] = ()
    note: str = ""
    is_optional: bool = False

    @property
    def line(self) -> str:
        """The line of a zone file, or of the policy; "" without a value."""
        if self.kind == POLICY:
            return self.value
        return f"{self.name}. IN {self.kind} {self.value}" if self.value else ""


@dataclass(frozen=True, slots=True)
class OwnHost:
    """This server, as far as it knows itself."""

    hostname: str
    addresses: tuple[str, ...] = ()  # that others can reach; () behind a translator
    local: frozenset[str] = frozenset()  # more addresses of this machine, of those that DNS has


@dataclass(frozen=True, slots=True)
class PublicationFacts:
    """The facts to judge."""

    domain: str
    host: str  # the name of this server that the domain's MX record has, or should have
    own: OwnHost
    keys: tuple[str, ...] = ()  # SHA-256 of the keys that this name shows, in hex
    answers: Mapping[DnsQuestion, DnsRecordSet] = field(default_factory=dict)
    policy: StsFinding = field(default_factory=StsFinding)

    def answer(self, name: str, kind: str) -> DnsRecordSet:
        """Return the answer to a question."""
        return self.answers.get((name, kind), _NOT_ASKED)

    def addresses(self, name: str) -> tuple[str, ...]:
        """Return the addresses that DNS has for a name."""
        return (*self.answer(name, "A").values, *self.answer(name, "AAAA").values)

    @property
    def reached_at(self) -> tuple[str, ...]:
        """Our addresses; behind a translator those that DNS has for our host name."""
        known = [one for one in self.addresses(self.own.hostname) if one in self.own.local]
        found = dict.fromkeys((*self.own.addresses, *known))
        return tuple(found) or self.addresses(self.own.hostname)


def first_questions(domain: str, hostname: str) -> list[DnsQuestion]:
    """Return the questions whose answers decide about the others."""
    return [(domain, "MX"), (hostname, "A"), (hostname, "AAAA")]


def later_questions(facts: PublicationFacts) -> list[DnsQuestion]:
    """Return the other questions, once the host and the first answers are known."""
    pointers = [(ip_address(one).reverse_pointer, "PTR") for one in facts.reached_at]
    return [
        (facts.host, "A"),
        (facts.host, "AAAA"),
        *pointers,
        (facts.own.hostname, "TXT"),
        (f"_25._tcp.{facts.host}", "TLSA"),
        (sts_name(facts.domain), "TXT"),
        (f"_smtp._tls.{facts.domain}", "TXT"),
    ]


def published_records(facts: PublicationFacts) -> list[PublishedRecord]:
    """Return the records to publish, each with its state."""
    return [
        _mx(facts),
        *_addresses(facts),
        *_reverse_names(facts),
        _spf(facts),
        *_keys(facts),
        _mta_sts(facts),
        _mta_sts_policy(facts),
        _tls_rpt(facts),
    ]


def mx_hosts_of(answer: DnsRecordSet) -> list[tuple[int, str]]:
    """Return preference and host of each MX record, the most preferred first."""
    pairs = (value.split(" ", 1) for value in answer.values)
    return sorted((int(preference), host) for preference, host in pairs)


def _mx(facts: PublicationFacts) -> PublishedRecord:
    answer = facts.answer(facts.domain, "MX")
    hosts = mx_hosts_of(answer)
    ours = [preference for preference, host in hosts if host == facts.host]
    others = [preference for preference, host in hosts if host not in ("", facts.host)]
    preference = max(others, default=_ONLY - _BEHIND) + _BEHIND
    state, note = RecordState.PRESENT, ""
    if answer.failure:
        state, note = RecordState.UNKNOWN, answer.failure
    elif not ours:
        state = RecordState.MISSING
    elif others and min(ours) <= min(others):
        state = RecordState.WRONG
        note = "senders use this server first: give it a larger number than the primary"
    else:
        preference = min(ours)
        note = "" if others else "the domain names no other host: its primary gets no mail directly"
    value = f"{preference} {facts.host}."
    return PublishedRecord(RecordPurpose.MX, facts.domain, "MX", value, state, answer.values, note)


def _addresses(facts: PublicationFacts) -> Iterator[PublishedRecord]:
    """Judge the addresses of the name in the MX record. One that leads here is enough."""
    found = facts.addresses(facts.host)
    for address in found:
        state, note = _state_of_address(facts, address)
        yield _address(facts.host, address, state, found, note)
    if any(one in facts.reached_at for one in found):
        return
    failure = facts.answer(facts.host, "A").failure or facts.answer(facts.host, "AAAA").failure
    state = RecordState.UNKNOWN if failure else RecordState.MISSING
    for address in facts.reached_at:
        yield _address(facts.host, address, state, found, failure)
    if not (found or facts.reached_at):
        note = failure or "this machine has private addresses only: publish its public one"
        yield PublishedRecord(RecordPurpose.ADDRESS, facts.host, "A", "", state, note=note)


def _state_of_address(facts: PublicationFacts, address: str) -> tuple[RecordState, str]:
    """Judge an address that DNS has for the name in the MX record."""
    own = facts.own
    if address in own.addresses or address in own.local:
        return RecordState.PRESENT, ""
    if own.addresses or own.local:
        return RecordState.WRONG, "this machine does not have this address"
    if facts.host == own.hostname:
        note = "this machine has private addresses only, so it cannot tell whether this is its own"
        return RecordState.UNKNOWN, note
    if address in facts.reached_at:
        return RecordState.PRESENT, ""
    return RecordState.WRONG, f"{own.hostname} does not have this address"


def _address(
    host: str, address: str, state: RecordState, found: tuple[str, ...], note: str
) -> PublishedRecord:
    kind = "A" if ip_address(address).version == 4 else "AAAA"  # noqa: PLR2004
    return PublishedRecord(RecordPurpose.ADDRESS, host, kind, address, state, found, note)


def _reverse_names(facts: PublicationFacts) -> Iterator[PublishedRecord]:
    """Judge the names of our addresses: many primaries refuse a host without one."""
    hostname = facts.own.hostname
    for address in facts.reached_at:
        name = ip_address(address).reverse_pointer
        answer = facts.answer(name, "PTR")
        state, note = _state_of(answer, hostname)
        if state is RecordState.MISSING and answer.values:
            state, note = RecordState.WRONG, "many primaries refuse mail from such an address"
        yield PublishedRecord(
            RecordPurpose.REVERSE, name, "PTR", f"{hostname}.", state, answer.values, note
        )


def _state_of(answer: DnsRecordSet, wanted: str) -> tuple[RecordState, str]:
    if answer.failure:
        return RecordState.UNKNOWN, answer.failure
    return (RecordState.PRESENT if wanted in answer.values else RecordState.MISSING), ""


def _spf(facts: PublicationFacts) -> PublishedRecord:
    """Judge the SPF of our own name, by which receivers of reports judge us (RFC 7208 §2.4)."""
    answer = facts.answer(facts.own.hostname, "TXT")
    policies = tuple(one for one in answer.values if one.lower().split(" ")[0] == "v=spf1")
    state, note = RecordState.MISSING, ""
    if answer.failure:
        state, note = RecordState.UNKNOWN, answer.failure
    elif len(policies) > 1:
        state, note = RecordState.WRONG, "there must be one such record: receivers use none of two"
    elif policies and _names_us(policies[0], facts.reached_at):
        state = RecordState.PRESENT
    elif policies and _depends_on_others(policies[0]):
        state, note = RecordState.UNKNOWN, "it depends on records of other names"
    elif policies:
        state, note = RecordState.WRONG, "it does not name this server"
    value = f'"{policies[0] if state is RecordState.PRESENT else OWN_SPF}"'
    return PublishedRecord(
        RecordPurpose.SPF, facts.own.hostname, "TXT", value, state, policies, note
    )


def _names_us(policy: str, addresses: tuple[str, ...]) -> bool:
    """Tell whether `a`, or networks in the policy, let our addresses pass."""
    terms = [term.lower().removeprefix("+") for term in policy.split()[1:]]
    if "a" in terms:
        return True
    networks = []
    for term in terms:
        kind, _, text = term.partition(":")
        if kind in ("ip4", "ip6"):
            try:
                networks.append(ip_network(text, strict=False))
            except ValueError:
                return False
    return bool(addresses) and all(
        any(ip_address(one) in network for network in networks) for one in addresses
    )


def _depends_on_others(policy: str) -> bool:
    terms = [term.lower().lstrip("+-~?") for term in policy.split()[1:]]
    others = ("include:", "redirect=", "a:", "a/", "mx", "exists:", "ptr")
    return any(term.startswith(others) for term in terms)


def _keys(facts: PublicationFacts) -> Iterator[PublishedRecord]:
    """Judge the keys that senders with DANE accept (RFC 7672 §3.1). Usage 3 1 1 needs no names."""
    name = f"_25._tcp.{facts.host}"
    answer = facts.answer(name, "TLSA")
    found = tuple(map(_in_one_form, answer.values))
    note = ""
    if found and not answer.is_secure:
        note = "not validated by DNSSEC: senders use it only in a signed zone"
    if not facts.keys:
        why = "the certificates cannot be read"
        yield _key(name, "", RecordState.UNKNOWN, found, why)
    for key in facts.keys:
        value = f"3 1 1 {key}"
        if answer.failure:
            yield _key(name, value, RecordState.UNKNOWN, found, answer.failure)
        elif value in found:
            yield _key(name, value, RecordState.PRESENT, found, note)
        elif found:
            why = "senders with DANE refuse a certificate whose key is not among the records"
            yield _key(name, value, RecordState.WRONG, found, why)
        else:
            yield _key(name, value, RecordState.MISSING, found, "only useful in a signed zone")


def _in_one_form(value: str) -> str:
    """Return a TLSA record with its digest in one piece."""
    words = value.lower().split(" ")
    return " ".join([*words[:3], "".join(words[3:])])


def _key(
    name: str, value: str, state: RecordState, found: tuple[str, ...], note: str
) -> PublishedRecord:
    return PublishedRecord(
        RecordPurpose.TLSA, name, "TLSA", value, state, found, note, is_optional=True
    )


def _mta_sts(facts: PublicationFacts) -> PublishedRecord:
    """Tell the announcement of a policy (RFC 8461 §3.1)."""
    name = sts_name(facts.domain)
    answer = facts.answer(name, "TXT")
    announced = tuple(one for one in answer.values if one.startswith("v=STSv1"))
    state, note = _state_of(answer, announced[0] if announced else "")
    value = f'"{announced[0]}"' if announced else '"v=STSv1; id=1"'
    if state is RecordState.PRESENT:
        note = "change its id whenever the policy changes"
    return PublishedRecord(
        RecordPurpose.MTA_STS, name, "TXT", value, state, announced, note, is_optional=True
    )


def sts_name(domain: str) -> str:
    """Return the name of the announcement."""
    return f"_mta-sts.{domain}"


def _mta_sts_policy(facts: PublicationFacts) -> PublishedRecord:
    """Judge the policy (RFC 8461 §3.2): senders that obey it deliver to its hosts only."""
    answer = facts.answer(sts_name(facts.domain), "TXT")
    found: tuple[str, ...] = ()
    if answer.failure or facts.policy.failure:
        state, note = RecordState.UNKNOWN, answer.failure or facts.policy.failure
    elif not announces_sts(answer.values):
        state, note = RecordState.MISSING, "the domain announces no policy"
    else:
        try:
            policy = read_sts_policy(facts.policy.text)
        except ValueError as error:
            state, note = RecordState.WRONG, f"the policy is not valid: {error}"
        else:
            found = tuple(f"mx: {one}" for one in policy.exchangers)
            state, note = _state_in_policy(policy, facts.host)
    return PublishedRecord(
        RecordPurpose.MTA_STS_POLICY,
        f"mta-sts.{facts.domain}",
        POLICY,
        f"mx: {facts.host}",
        state,
        found,
        note,
        is_optional=True,
    )


def _state_in_policy(policy: StsPolicy, host: str) -> tuple[RecordState, str]:
    if policy.mode == "none" or policy.covers(host):
        return RecordState.PRESENT, f"mode {policy.mode}"
    if policy.mode == "enforce":
        return RecordState.WRONG, "mode enforce: senders that obey it deliver nothing here"
    return RecordState.WRONG, f"mode {policy.mode}: senders would deliver nothing here in enforce"


def _tls_rpt(facts: PublicationFacts) -> PublishedRecord:
    """Tell where senders report failures of TLS (RFC 8460 §3)."""
    name = f"_smtp._tls.{facts.domain}"
    answer = facts.answer(name, "TXT")
    asked = tuple(one for one in answer.values if one.startswith("v=TLSRPTv1"))
    state, note = _state_of(answer, asked[0] if asked else "")
    value = f'"{asked[0]}"' if asked else f'"v=TLSRPTv1; rua=mailto:postmaster@{facts.domain}"'
    return PublishedRecord(
        RecordPurpose.TLS_RPT, name, "TXT", value, state, asked, note, is_optional=True
    )
