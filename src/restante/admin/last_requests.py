"""When each domain was last asked for, by any request that covered it. Pure."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from restante.store.audit_store import GrantedRequest
from restante.tenancy.etrn_target import EtrnTargetKind, parse_etrn_target
from restante.tenancy.model import HostedDomain

_TARGETS: Final = 20_000  # read once: the same ones are asked for at each status


class LastRequests:
    """The last request for each target, indexed by domain: there may be many of both."""

    def __init__(self) -> None:
        self._at: dict[tuple[EtrnTargetKind, str, str], float] = {}

    def add(self, request: GrantedRequest) -> None:
        """Add a request."""
        named = _key_of(request.target)
        if named is not None:
            key = (*named, request.account)
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


@lru_cache(maxsize=_TARGETS)
def _key_of(target: str) -> tuple[EtrnTargetKind, str] | None:
    """Return what a target stands for; None for a past one that is no longer valid."""
    try:
        parsed = parse_etrn_target(target)
    except ValueError:
        return None
    return parsed.kind, parsed.key


def _with_parents(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.partition(".")[2]
