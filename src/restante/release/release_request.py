"""A release request, from any source."""

from dataclasses import dataclass

from restante.tenancy.actor import Actor, ActorKind
from restante.tenancy.model import IpAddress, Login
from restante.tenancy.principal import CONTROL_SOCKET, Principal, policy_rule


@dataclass(frozen=True, slots=True)
class Requester:
    """The client and its address. Without a login, and not the operator, it is unknown."""

    login: Login | None = None
    address: IpAddress | None = None
    is_operator: bool = False
    acting: Actor | None = None  # for the operator: the one who acts
    place: str = CONTROL_SOCKET  # the source if there is no address
    only_account: str = ""  # whose domains alone it may release; "" is any
    only_domains: frozenset[str] | None = None  # which of these alone; None is any

    @property
    def account(self) -> str:
        """Return the account that it belongs to; "" for the operator and strangers."""
        return self.login.account if self.login is not None else self.only_account

    @property
    def actor(self) -> Actor:
        """Return the client as the audit trail names it."""
        if self.is_operator:
            return self.acting or Actor(ActorKind.OPERATOR)
        return Actor(ActorKind.LOGIN, self.login.user) if self.login else Actor(ActorKind.ANONYMOUS)

    @property
    def right(self) -> str:
        """Name the actor whose role allows the request: no login and host have to."""
        is_by_operator = self.actor.kind is ActorKind.OPERATOR
        return str(ActorKind.OPERATOR) if is_by_operator else self.actor.text

    @property
    def acted_from(self) -> str:
        """Name the place for the audit trail."""
        return str(self.address) if self.address else self.place


def requested_by(principal: Principal) -> Requester:
    """Return the requester that stands for a principal: it needs no login and no host."""
    return Requester(
        is_operator=True,
        acting=principal.actor,
        place=principal.acted_from,
        only_account=principal.account,
        only_domains=principal.domains,
    )


BY_POLICY = requested_by(policy_rule("on-return"))  # the destination is back


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """One request for one target, as text from the wire or the command line."""

    requester: Requester
    argument: str
    note: str = ""  # the operator's --reason
    domain: str = ""  # the one whose messages the argument names; "" where it is a target
    id: int = 0  # the releaser gives it one, and the time at which it came
    at: float = 0.0  # Unix time
