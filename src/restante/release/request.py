"""A release request, from any source."""

from dataclasses import dataclass

from restante.tenancy.model import IpAddress, Login


@dataclass(frozen=True, slots=True)
class Requester:
    """The client and its address. Without a login, and not the operator, it is unknown."""

    login: Login | None = None
    address: IpAddress | None = None
    is_operator: bool = False
    text: str = ""  # for the operator: the command, and the user who ran it
    place: str = "control socket"  # the source if there is no address

    @property
    def actor(self) -> str:
        """Name the client for the audit trail."""
        if self.is_operator:
            return self.text or "operator"
        return f"login {self.login.user}" if self.login else "anonymous"

    @property
    def origin(self) -> str:
        """Name the place for the audit trail."""
        return str(self.address) if self.address else self.place


BY_POLICY = Requester(
    is_operator=True, text="policy on-return", place="this server"
)  # the destination is back


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """One request for one node, as text from the wire or the command line."""

    requester: Requester
    argument: str
    note: str = ""  # the operator's --reason
