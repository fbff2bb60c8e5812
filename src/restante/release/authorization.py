"""Who may have which domains released (S4, S10, S11, S13). Pure; the facts come in as arguments.

Three things must hold of each domain: it belongs to the login's account, the node covers it, and the asker's address
is one of its authorized hosts. A domain for which one fails is left out; when none is left the request is not allowed,
and the asker hears the same whichever it was. Of those that are left a suspended one is left out too; when nothing else is
left, the asker hears that it cannot be now (458): whoever may ask is told the truth. Where mail goes is no part of this: the destination is on record, and no
request can name another.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from restante import phrases
from restante.release.request import Asker
from restante.tenancy.etrn_target import EtrnTarget
from restante.tenancy.model import AuthorizedHosts, Directory, HostedDomain, IpAddress

NOT_AUTHENTICATED = "not authenticated"
NO_SUCH_DOMAIN = f"the domain {phrases.NOT_HOSTED}"
NAMED = 20  # domains in one reason: an account may have ten thousand

HostAddresses = Mapping[str, Collection[IpAddress]]  # host name → its addresses, by forward lookup


@dataclass(frozen=True, slots=True)
class Authorization:
    """The decision: the domains to release, none if it is refused, and the true reason for the audit trail."""

    domains: tuple[HostedDomain, ...]
    reason: str
    suspended: tuple[HostedDomain, ...] = ()  # those that are left out for that alone

    @property
    def is_granted(self) -> bool:
        """At least one domain may be released."""
        return bool(self.domains)


def authorize(
    asker: Asker,
    target: EtrnTarget,
    directory: Directory,
    host_addresses: HostAddresses,
    now: float,
) -> Authorization:
    """Decide which domains this request releases; `now` is Unix time."""
    return _without_suspended(_authorize(asker, target, directory, host_addresses), now)


def _without_suspended(granted: Authorization, now: float) -> Authorization:
    """Leave suspended domains out of what was granted."""
    suspended: list[HostedDomain] = []
    left: list[HostedDomain] = []
    for domain in granted.domains:
        (left if domain.policy.suspension_at(now) is None else suspended).append(domain)
    if not suspended:
        return granted
    named = [phrases.suspended(domain.name, _reason(domain, now)) for domain in suspended[:NAMED]]
    why = "; ".join(named) + _more(len(suspended))
    return Authorization(
        tuple(left), f"{granted.reason}, but {why}" if left else why, tuple(suspended)
    )


def _reason(domain: HostedDomain, now: float) -> str:
    suspension = domain.policy.suspension_at(now)
    return suspension.reason if suspension else ""


def _authorize(
    asker: Asker, target: EtrnTarget, directory: Directory, host_addresses: HostAddresses
) -> Authorization:
    covered = tuple(target.hosted(directory))
    if asker.is_operator:
        return Authorization(covered, "operator" if covered else NO_SUCH_DOMAIN)
    account = _proven_account(asker, directory)
    own = tuple(domain for domain in covered if domain.account == account)
    allowed: list[HostedDomain] = []
    left_out: list[HostedDomain] = []
    for domain in own:
        is_allowed = is_authorized_host(asker.address, domain.authorized_hosts, host_addresses)
        (allowed if is_allowed else left_out).append(domain)
    if allowed:
        return Authorization(tuple(allowed), _grant_reason(left_out))
    return Authorization((), _refusal_reason(asker, account, covered, own))


def _proven_account(asker: Asker, directory: Directory) -> str | None:
    """Name the account that the asker speaks for; None once its login was changed or removed."""
    login = asker.login
    return (
        login.account if login is not None and directory.logins.get(login.user) == login else None
    )


def is_authorized_host(
    address: IpAddress | None, hosts: AuthorizedHosts, host_addresses: HostAddresses
) -> bool:
    """Tell whether an address is among the hosts: itself, in a network, or what a host name resolves to."""
    if address is None:
        return False
    if any(address in network for network in hosts.networks):
        return True
    return any(address in host_addresses.get(name, ()) for name in hosts.names)


def _grant_reason(left_out: Sequence[HostedDomain]) -> str:
    return f"granted, but host not authorized for {_names(left_out)}" if left_out else "granted"


def _refusal_reason(
    asker: Asker,
    account: str | None,
    covered: tuple[HostedDomain, ...],
    own: tuple[HostedDomain, ...],
) -> str:
    if asker.login is None:
        return NOT_AUTHENTICATED
    if account is None:
        return "the login was changed or removed since it authenticated"
    if not covered:
        return NO_SUCH_DOMAIN
    if not own:
        return "the domain belongs to another account"
    return f"host not authorized for {_names(own)}"


def _names(domains: Sequence[HostedDomain]) -> str:
    return ", ".join(domain.name for domain in domains[:NAMED]) + _more(len(domains))


def _more(count: int) -> str:
    return f" and {count - NAMED} more" if count > NAMED else ""
