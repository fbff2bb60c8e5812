"""A release request, from any source."""

from dataclasses import dataclass

from restante.tenancy.model import IpAddress, Login
from restante.tenancy.principal import CONTROL_SOCKET, Principal, policy_rule


@dataclass(frozen=True, slots=True)
class Requester:
    """The client and its address. Without a login, and not the operator, it is unknown."""

    login: Login | None = None
    address: IpAddress | None = None
    is_operator: bool = False
    text: str = ""  # for the operator: the command, and the user who ran it
    place: str = CONTROL_SOCKET  # the source if there is no address
    only_account: str = ""  # whose domains alone it may release; "" is any
    only_domains: frozenset[str] | None = None  # which of these alone; None is any

    @property
    def account(self) -> str:
        """Return the account that it belongs to; "" for the operator and strangers."""
        return self.login.account if self.login is not None else self.only_account

    @property
    def actor(self) -> str:
        """Name the client for the audit trail."""
        if self.is_operator:
            return self.text or "operator"
        return f"login {self.login.user}" if self.login else "anonymous"

    @property
    def right(self) -> str:
        """Name the actor whose role allows the request: no login and host have to."""
        kind = self.actor.partition(" ")[0]
        return "operator" if kind == "operator" else self.actor

    @property
    def origin(self) -> str:
        """Name the place for the audit trail."""
        return str(self.address) if self.address else self.place


def requested_by(principal: Principal) -> Requester:
    """Return the requester that stands for a principal: it needs no login and no host."""
    return Requester(
        is_operator=True,
        text=principal.name,
        place=principal.origin,
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
    id: int = 0  # the releaser gives it one, and the time at which it came
    at: float = 0.0  # Unix time
