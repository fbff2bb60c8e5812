"""Which domains a client may take over its own connection (RFC 2645). Pure; facts are arguments.

A turnaround sends mail to the holder of a login, and not to the destination on record. So it needs
more than a release: the right of the login, and the leave of each domain. The rules of
authorization.py hold too: the account, the authorized hosts, and suspensions.

Each domain that is named must be allowed, otherwise all of the request is refused, in the same way
for each cause. Without a name, and for `@domain` and `#account`, those that are allowed are meant.
"""

from collections.abc import Sequence

from restante.release.authorization import (
    NO_SUCH_DOMAIN,
    NOT_AUTHENTICATED,
    OTHER_ACCOUNT,
    HostAddresses,
    ReleaseAuthorization,
    is_authorized_host,
    names_of,
    proven_account,
    without_suspended,
)
from restante.release.release_request import Requester
from restante.tenancy.etrn_target import EtrnTarget, EtrnTargetKind, parse_etrn_target
from restante.tenancy.model import Directory, HostedDomain
from restante.tenancy.policy import TurnaroundPolicy

NO_RIGHT = "the login has no right to a turnaround"
RIGHT_WAITS = "the login's right to a turnaround, or its new proof, is not in force yet"


def parse_turn_targets(argument: str) -> tuple[EtrnTarget, ...]:
    """Read a list with commas; none for no argument. Raises ValueError for anything else.

    Equal targets become one: each costs a look at all domains.
    """
    if not argument:
        return ()
    found = [parse_etrn_target(one.strip(" \t")) for one in argument.split(",")]
    return tuple({(one.kind, one.key): one for one in found}.values())


def authorize_turn(
    requester: Requester,
    targets: Sequence[EtrnTarget],
    directory: Directory,
    host_addresses: HostAddresses,
    now: float,
) -> ReleaseAuthorization:
    """Decide which domains a client takes; `now` is Unix time."""
    account = proven_account(requester, directory)
    if account is None or requester.login is None:
        return ReleaseAuthorization((), NOT_AUTHENTICATED)
    if requester.login.has_expired(now):
        return ReleaseAuthorization((), NOT_AUTHENTICATED)
    if not requester.login.turnaround:
        return ReleaseAuthorization((), NO_RIGHT)
    if not requester.login.may_turn(now):
        return ReleaseAuthorization((), RIGHT_WAITS)
    chosen: dict[str, HostedDomain] = {}
    elsewhere: dict[str, HostedDomain] = {}
    for target in targets or (None,):
        hosted = directory.domains_of(account) if target is None else target.hosted(directory)
        covered = tuple(hosted)
        allowed = [
            one for one in covered if not _objection(requester, account, one, host_addresses)
        ]
        if not allowed:
            return ReleaseAuthorization(
                (), _refusal(requester, account, covered, host_addresses, target)
            )
        chosen.update((one.name, one) for one in allowed)
        elsewhere.update((one.name, one) for one in covered if _is_for_others(account, one))
    domains, left = (
        tuple(found[name] for name in sorted(found))
        for found in (chosen, {name: elsewhere[name] for name in elsewhere.keys() - chosen.keys()})
    )
    reason = f"granted, but host not authorized for {names_of(left)}" if left else "granted"
    granted = ReleaseAuthorization(domains, reason, not_from_here=left)
    return without_suspended(granted, now)


def _is_for_others(account: str, domain: HostedDomain) -> bool:
    """Return whether a domain may leave by a turnaround, from some host."""
    return domain.account == account and domain.policy.turnaround is TurnaroundPolicy.ALLOW


def _objection(
    requester: Requester, account: str, domain: HostedDomain, host_addresses: HostAddresses
) -> str:
    """Return why a domain may not be taken, "" if it may."""
    if domain.account != account:
        return OTHER_ACCOUNT
    if domain.policy.turnaround is not TurnaroundPolicy.ALLOW:
        return f"no turnaround is allowed for {domain.name}"
    if not is_authorized_host(requester.address, domain.authorized_hosts, host_addresses):
        return f"host not authorized for {domain.name}"
    return ""


def _refusal(
    requester: Requester,
    account: str,
    covered: Sequence[HostedDomain],
    host_addresses: HostAddresses,
    target: EtrnTarget | None,
) -> str:
    if not covered:
        return NO_SUCH_DOMAIN if target is not None else "the account has no domain"
    if target is not None and target.kind is EtrnTargetKind.DOMAIN:
        return _objection(requester, account, covered[0], host_addresses)
    return f"none of these may be taken from here: {names_of(covered)}"
