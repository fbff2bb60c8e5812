"""Which client may release which domains (S4, S10, S11, S13). Pure; facts are arguments.

Each domain must meet three conditions. It belongs to the login's account, the target covers it, and
the client's address is one of its authorized hosts. A domain that fails one is left out. When none
remains, the request is refused, with the same reply for each cause.

Suspended domains are then left out too. If only suspended ones remain, the reply is 458 (not now):
an authorized client is told the truth. The destination of the mail is no part of this. It is on
record, and no request can name another.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from restante import phrases
from restante.release.release_request import Requester
from restante.tenancy.etrn_target import EtrnTarget
from restante.tenancy.model import AuthorizedHosts, Directory, HostedDomain, IpAddress

NOT_AUTHENTICATED = "not authenticated"
NO_SUCH_DOMAIN = f"the domain {phrases.NOT_HOSTED}"
OTHER_ACCOUNT = "the domain belongs to another account"
NAMED = 20  # domains in one reason: an account may have ten thousand

HostAddresses = Mapping[str, Collection[IpAddress]]  # host name → its addresses, by forward lookup


@dataclass(frozen=True, slots=True)
class ReleaseAuthorization:
    """The domains to release, none if refused, and the true reason for the audit trail."""

    domains: tuple[HostedDomain, ...]
    reason: str
    suspended: tuple[HostedDomain, ...] = ()  # left out only because they are suspended
    suspensions: tuple[str, ...] = ()  # the first of these, each with its reason
    not_from_here: tuple[HostedDomain, ...] = ()  # left out of a turnaround only for the host

    @property
    def covered(self) -> tuple[HostedDomain, ...]:
        """Those to release, and those that are left out."""
        return self.domains + self.suspended + self.not_from_here

    @property
    def is_granted(self) -> bool:
        """At least one domain may be released."""
        return bool(self.domains)


def authorize(
    requester: Requester,
    target: EtrnTarget,
    directory: Directory,
    host_addresses: HostAddresses,
    now: float,
) -> ReleaseAuthorization:
    """Decide which domains this request releases; `now` is Unix time."""
    return without_suspended(_authorize(requester, target, directory, host_addresses), now)


def without_suspended(granted: ReleaseAuthorization, now: float) -> ReleaseAuthorization:
    """Remove suspended domains from those granted."""
    suspended: list[HostedDomain] = []
    left: list[HostedDomain] = []
    for domain in granted.domains:
        (left if domain.policy.suspension_at(now) is None else suspended).append(domain)
    if not suspended:
        return granted
    named = tuple(
        phrases.suspended(domain.name, _reason(domain, now)) for domain in suspended[:NAMED]
    )
    why = "; ".join(named) + _more(len(suspended))
    reason = f"{granted.reason}, but {why}" if left else why
    return replace(
        granted,
        domains=tuple(left),
        reason=reason,
        suspended=tuple(suspended),
        suspensions=named,
    )


def _reason(domain: HostedDomain, now: float) -> str:
    suspension = domain.policy.suspension_at(now)
    return suspension.reason if suspension else ""


def _authorize(
    requester: Requester, target: EtrnTarget, directory: Directory, host_addresses: HostAddresses
) -> ReleaseAuthorization:
    covered = tuple(target.hosted(directory))
    if requester.is_operator:
        own, listed = _of_principal(requester, covered)
        refusal = not_owned(covered, own) or _not_listed(requester, own)
        return ReleaseAuthorization(listed, requester.right if listed else refusal)
    account = proven_account(requester, directory)
    own = tuple(domain for domain in covered if domain.account == account)
    allowed: list[HostedDomain] = []
    left_out: list[HostedDomain] = []
    for domain in own:
        is_allowed = is_authorized_host(requester.address, domain.authorized_hosts, host_addresses)
        (allowed if is_allowed else left_out).append(domain)
    if allowed:
        return ReleaseAuthorization(tuple(allowed), _grant_reason(left_out))
    return ReleaseAuthorization((), _refusal_reason(requester, account, covered, own))


def _of_principal(
    requester: Requester, covered: tuple[HostedDomain, ...]
) -> tuple[tuple[HostedDomain, ...], tuple[HostedDomain, ...]]:
    """Return the domains of the principal's account, and those of them that it may release."""
    own = listed = covered
    if requester.only_account:
        own = listed = tuple(one for one in covered if one.account == requester.only_account)
    if requester.only_domains is not None:
        listed = tuple(one for one in own if one.name in requester.only_domains)
    return own, listed


def not_owned(covered: Sequence[HostedDomain], own: Sequence[HostedDomain]) -> str:
    """Return why none of the covered domains is the requester's; "" if one is."""
    if own:
        return ""
    return OTHER_ACCOUNT if covered else NO_SUCH_DOMAIN


def _not_listed(requester: Requester, own: Sequence[HostedDomain]) -> str:
    return f"{requester.actor.text} is limited to other domains than {names_of(own)}"


def proven_account(requester: Requester, directory: Directory) -> str | None:
    """Name the client's account; None if its login was changed or removed meanwhile."""
    login = requester.login
    return (
        login.account if login is not None and directory.logins.get(login.user) == login else None
    )


def is_authorized_host(
    address: IpAddress | None, hosts: AuthorizedHosts, host_addresses: HostAddresses
) -> bool:
    """Return whether an address is one of the hosts.

    It may be listed itself, be in a listed network, or be an address of a listed host name.
    """
    if address is None:
        return False
    if any(address in network for network in hosts.networks):
        return True
    return any(address in host_addresses.get(name, ()) for name in hosts.names)


def _grant_reason(left_out: Sequence[HostedDomain]) -> str:
    return f"granted, but host not authorized for {names_of(left_out)}" if left_out else "granted"


def _refusal_reason(
    requester: Requester,
    account: str | None,
    covered: tuple[HostedDomain, ...],
    own: tuple[HostedDomain, ...],
) -> str:
    if requester.login is None:
        return NOT_AUTHENTICATED
    if account is None:
        return "the login was changed or removed since it authenticated"
    return not_owned(covered, own) or f"host not authorized for {names_of(own)}"


def names_of(domains: Sequence[HostedDomain]) -> str:
    """Return the first names of a list, and how many more there are."""
    return ", ".join(domain.name for domain in domains[:NAMED]) + _more(len(domains))


def _more(count: int) -> str:
    return f" and {count - NAMED} more" if count > NAMED else ""
