"""A release request, whatever way it came."""

from dataclasses import dataclass

from restante.tenancy.model import IpAddress, Login


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and from where. Without a login and not the operator: nobody we know."""

    login: Login | None = None
    address: IpAddress | None = None
    is_operator: bool = False
    text: str = ""  # for the operator: which command, and as whom
    place: str = "control socket"  # from where, without an address

    @property
    def actor(self) -> str:
        """Name the asker for the audit trail."""
        if self.is_operator:
            return self.text or "operator"
        return f"login {self.login.user}" if self.login else "anonymous"

    @property
    def origin(self) -> str:
        """Name the place for the audit trail."""
        return str(self.address) if self.address else self.place


BY_POLICY = Asker(
    is_operator=True, text="policy on-return", place="this server"
)  # the destination is back


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """One request for one node, as text from the wire or the command line."""

    asker: Asker
    argument: str
    note: str = ""  # the operator's --reason
