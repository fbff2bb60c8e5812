"""When each domain was last asked for, by any request that covered it. Pure."""

from collections.abc import Iterator
from contextlib import suppress

from restante.store.audit_store import GrantedRequest
from restante.tenancy.etrn_target import EtrnTargetKind, parse_etrn_target
from restante.tenancy.model import HostedDomain


class LastRequests:
    """The last request for each target, indexed by domain: there may be many of both."""

    def __init__(self) -> None:
        self._at: dict[tuple[EtrnTargetKind, str, str], float] = {}

    def add(self, request: GrantedRequest) -> None:
        """Add a request."""
        with suppress(ValueError):  # if a past target is no longer valid
            target = parse_etrn_target(request.target)
            key = (target.kind, target.key, request.account)
            self._at[key] = max(request.at, self._at.get(key, request.at))

    def last_for(self, domain: HostedDomain) -> float | None:
        """Return the last request that covered this domain, by its present account only.

        A request for an account or a subtree did not cover a domain that was added later.
        """
        keys = [(EtrnTargetKind.DOMAIN, domain.name), (EtrnTargetKind.ACCOUNT, domain.account)]
        keys += [(EtrnTargetKind.SUBTREE, parent) for parent in _with_parents(domain.name)]
        found = [
            self._at[kind, key, domain.account]
            for kind, key in keys
            if (kind, key, domain.account) in self._at
        ]
        return max((at for at in found if at >= domain.created_at), default=None)


def _with_parents(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.partition(".")[2]
