"""Where a connection for a domain goes: the destination on record, at its present addresses.

No other host can be an endpoint: not the public MX, not the address of the requesting host (S9,
S11). And never ourselves: mail sent to our own listener would be held again under a new number,
without end. Loops that can be seen beforehand are seen here. A loop through a wildcard listener
shows once the connection is there (`leads_home`).

A host that an account chose is a stranger's choice. Only its public addresses are endpoints, and
only endpoints are dialed, so a changed answer of DNS cannot lead into our own networks. Drains,
callouts, probes and the look for a key all get their endpoints here.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from restante import phrases
from restante.network.addresses import peer_address, plain_address, unmapped
from restante.network.public_address import is_public
from restante.tenancy.model import Destination, IpAddress


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address and port to connect to."""

    address: IpAddress
    port: int

    @property
    def text(self) -> str:
        """Return `address:port`, IPv6 in brackets."""
        return (
            f"[{self.address}]:{self.port}"
            if self.address.version == 6  # noqa: PLR2004
            else f"{self.address}:{self.port}"
        )


class NoRoute(Exception):  # noqa: N818
    """There is no endpoint to connect to now. The text says why."""


def recorded_address(destination: Destination) -> IpAddress | None:
    """Return the destination's address if it is recorded as one, so that no look-up is needed.

    A link-local address keeps its zone: it cannot be reached without.
    """
    try:
        return unmapped(ipaddress.ip_address(destination.host))
    except ValueError:
        return None


def remote_name(destination: Destination) -> str:
    """Return the name in a report of the host that mail was meant for (RFC 3464 §2.3.5)."""
    return destination.host if recorded_address(destination) is None else f"[{destination.host}]"


def route(
    destination: Destination,
    addresses: Sequence[IpAddress],
    hostname: str,
    own_addresses: Sequence[tuple[str, int]],
) -> tuple[Endpoint, ...]:
    """Return the endpoints to try, in order. Raises NoRoute if none is left.

    `addresses` are those of the destination's host. One that is ours makes the whole destination
    wrong: some of the mail would come back.
    """
    if not destination.is_reachable:
        raise NoRoute(phrases.BY_ATRN_ONLY)
    if destination.must_be_public:
        addresses = public_addresses(destination.host, addresses)
    if destination.host == hostname:
        raise NoRoute(f"the destination {destination.text} is this server's own name")
    unique = dict.fromkeys(unmapped(address) for address in addresses)
    endpoints = tuple(Endpoint(address, destination.port) for address in unique)
    for endpoint in endpoints:
        if _is_own(endpoint, own_addresses):
            raise NoRoute(
                f"the destination {destination.text} is this server itself ({endpoint.text})"
            )
    if not endpoints:
        raise NoRoute(f"the destination {destination.text} has no address")
    return endpoints


def public_addresses(host: str, addresses: Sequence[IpAddress]) -> tuple[IpAddress, ...]:
    """Return the addresses of a host that strangers may make us connect to.

    This checks the form that DNS gave: an IPv4-mapped address is never in an honest AAAA record. A
    later answer is checked again, since only returned addresses are dialed. Raises NoRoute if there
    are none.
    """
    found = tuple(address for address in addresses if is_public(address))
    if addresses and not found:
        raise NoRoute(f"{host} has no public address")
    return found


def leads_home(
    endpoint: Endpoint, local: IpAddress, own_addresses: Sequence[tuple[str, int]]
) -> bool:
    """Return whether a connection, made from our address `local`, has reached our own listener.

    Only on one and the same machine are both ends' addresses the same.
    """
    return plain_address(endpoint.address) == local and any(
        port == endpoint.port and peer_address(bound).is_unspecified
        for bound, port in own_addresses
    )


def _is_own(endpoint: Endpoint, own_addresses: Sequence[tuple[str, int]]) -> bool:
    target = plain_address(endpoint.address)
    for bound, port in own_addresses:
        address = peer_address(bound)
        is_here = address == target or (address.is_unspecified and target.is_loopback)
        if port == endpoint.port and is_here:
            return True
    return False
