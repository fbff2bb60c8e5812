"""Whether the primary judges the client before us, or us: the result of a drill. Pure.

The message of a drill comes from one address of this machine, and is handed over from another. The
address that the primary has judged tells the two apart. A drill from loopback or a private address
tells nothing. Such a client is not passed on, and its address can mean a host of the primary.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Final, Self

from restante.mail.quantity import counted
from restante.readiness.arrived_header import ArrivedHeader
from restante.readiness.drill_facts import FORMER, is_former
from restante.readiness.readiness_row import (
    ReadinessCheck,
    ReadinessRow,
    not_known,
    passed,
    warned,
)
from restante.smtp.passed_client import means_one_host
from restante.stable_word import StableWord
from restante.tenancy.model import Destination

OLD_DAYS: Final = 180  # since the header was read
_DAY: Final = 86_400.0


class FilterTrust(StableWord):
    """The client that the primary has judged, and the fields that tell it."""

    CLIENT = "client", "filters of the primary judged the client before this server"
    CLIENT_BY_SERVER = (
        "client-by-server",
        "the primary's mail server took the client before this server for its client",
    )
    US = "us", "filters of the primary judged this server in place of the client"
    US_BY_SERVER = (
        "us-by-server",
        "the primary's mail server took this server for the client, and no filter named another",
    )
    ALIKE = "alike", "the drill came from an address that is private, or this server's own"
    NOT_FOUND = "not-found", "the header names no client that was judged"


@dataclass(frozen=True, slots=True)
class TrustFacts:
    """The result that was read back last."""

    trust: FilterTrust
    read_at: float  # Unix time
    destination: float | None = None  # the mark of the one that the drill has proven
    is_former: bool = False  # the domain has another destination by now

    def at(self, destination: Destination) -> Self:
        """Return the facts for the present destination."""
        return replace(self, is_former=is_former(self.destination, destination))


def filter_trust(header: ArrivedHeader, ours: Collection[str]) -> FilterTrust:
    """Return the client that the primary has judged.

    `ours` are the addresses from which this server connects to it. The one that its mail server saw
    counts too, because a translator can have changed ours on the way.
    """
    client, filters, server = header.client, header.of_filters, header.of_server
    if not client:
        return FilterTrust.NOT_FOUND
    if not means_one_host(ip_address(client)):
        return FilterTrust.ALIKE
    us = {*ours, server} - {client, ""}
    us = {one for one in us if not _is_loopback(one)}
    if us.intersection(filters):
        return FilterTrust.US
    if not filters and server in us:
        return FilterTrust.US_BY_SERVER
    if client not in (filters or (server,)):
        return FilterTrust.NOT_FOUND
    found = FilterTrust.CLIENT if filters else FilterTrust.CLIENT_BY_SERVER
    return FilterTrust.ALIKE if client in ours else found


def _is_loopback(address: str) -> bool:
    return bool(address) and ip_address(address).is_loopback


def trust_row(domain: str, facts: TrustFacts | None, now: float) -> ReadinessRow:
    """Return the row of a domain's check."""
    check = ReadinessCheck.FILTERS
    remedy = (
        f"set them up: {_snippet(domain)}; then drill, and `restante drill {domain} --arrived FILE`"
        " with the header that arrived"
    )
    if facts is None:
        evidence = "only a whole message shows whether the filters trust this server"
        return not_known(check, evidence, remedy)
    days = int((now - facts.read_at) / _DAY)
    when = f"{counted(days, 'day')} ago" if days > 0 else "today"
    former = FORMER if facts.is_former else ""
    evidence = f"{facts.trust.text} (header read {when}{former})"
    if facts.is_former or days >= OLD_DAYS:
        return not_known(check, evidence, remedy)
    if facts.trust in {FilterTrust.CLIENT, FilterTrust.CLIENT_BY_SERVER}:
        return passed(check, evidence)
    if facts.trust in {FilterTrust.US, FilterTrust.US_BY_SERVER}:
        return warned(check, evidence, trust_remedy(domain, facts.trust))
    return not_known(check, evidence, trust_remedy(domain, facts.trust))


def trust_remedy(domain: str, trust: FilterTrust) -> str:
    """Return the next thing to do; "" if there is none."""
    if trust is FilterTrust.US:
        return f"set them up: {_snippet(domain)}; then drill again"
    if trust is FilterTrust.US_BY_SERVER:
        return (
            f"set it up: {_snippet(domain)}. If filters look at the client before, have them write"
            " Authentication-Results. Then drill again"
        )
    if trust is FilterTrust.ALIKE:
        return (
            f"`restante drill {domain} --client ADDRESS`, a public address of this machine from"
            " which it hands no mail over"
        )
    if trust is FilterTrust.NOT_FOUND:
        return (
            "have the filters write Received-SPF, or Authentication-Results with the address; then"
            " drill again"
        )
    return ""


def _snippet(domain: str) -> str:
    return f"`restante domain snippet {domain} --for PROGRAM`"
