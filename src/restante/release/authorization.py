"""Who may have which domains released (S4, S10, S11, S13). Pure; the facts come in as arguments.

Three things must hold of each domain: it belongs to the login's account, the node covers it, and the asker's address
is one of its authorized hosts. A domain for which one fails is left out; when none is left the request is not allowed,
and the asker hears the same whichever it was. Where mail goes is no part of this: the destination is on record, and no
request can name another.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from restante.release.request import Asker
from restante.tenancy.model import AuthorizedHosts, Directory, HostedDomain, IpAddress
from restante.tenancy.node import Node

HostAddresses = Mapping[str, Collection[IpAddress]]  # host name → its addresses, by forward lookup


@dataclass(frozen=True, slots=True)
class Authorization:
    """The decision: the domains to release, none if it is refused, and the true reason for the audit trail."""

    domains: tuple[HostedDomain, ...]
    reason: str

    @property
    def is_granted(self) -> bool:
        """At least one domain may be released."""
        return bool(self.domains)


def authorize(asker: Asker, node: Node, directory: Directory, host_addresses: HostAddresses) -> Authorization:
    """Decide which domains this request releases."""
    covered = tuple(node.hosted(directory))
    if not covered:
        return Authorization((), "no such hosted domain")
    if asker.is_operator:
        return Authorization(covered, "operator")
    if asker.login is None:
        return Authorization((), "not authenticated")
    if directory.logins.get(asker.login.user) != asker.login:
        return Authorization((), "the login was changed or removed since it authenticated")
    own = tuple(domain for domain in covered if domain.account == asker.login.account)
    if not own:
        return Authorization((), "the domain belongs to another account")
    allowed = tuple(
        domain for domain in own if is_authorized_host(asker.address, domain.authorized_hosts, host_addresses)
    )
    if not allowed:
        return Authorization((), f"host not authorized for {_names(own)}")
    return Authorization(allowed, _grant_reason(own, allowed))


def is_authorized_host(address: IpAddress | None, hosts: AuthorizedHosts, host_addresses: HostAddresses) -> bool:
    """Tell whether an address is among the hosts: itself, in a network, or what a host name resolves to."""
    if address is None:
        return False
    if any(address in network for network in hosts.networks):
        return True
    return any(address in host_addresses.get(name, ()) for name in hosts.names)


def _grant_reason(own: tuple[HostedDomain, ...], allowed: tuple[HostedDomain, ...]) -> str:
    left_out = [domain for domain in own if domain not in allowed]
    return f"granted, but host not authorized for {_names(left_out)}" if left_out else "granted"


def _names(domains: Iterable[HostedDomain]) -> str:
    return ", ".join(domain.name for domain in domains)
