"""The actor of a request: an operator, an account, or the server itself by a policy. Pure.

`admin/permissions` has the one table of each role's permissions.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CONTROL_SOCKET: Final = "control socket"
COMMAND_LINE: Final = "command line"
THIS_SERVER: Final = "this server"


class Role(StrEnum):
    """The roles of principals."""

    OPERATOR = "operator"  # runs the platform
    ACCOUNT = "account"  # a login of a customer
    POLICY = "policy"  # the server, by a rule
    NOBODY = "nobody"  # not authenticated


@dataclass(frozen=True, slots=True)
class Principal:
    """One who acts, as authenticated. `name` and `origin` stand in the audit trail."""

    role: Role
    name: str  # "operator root", "login alice", "policy retention"
    origin: str  # an address, or one of the places above
    account: str = ""  # of a login; "" for the others

    def sees(self, account: str) -> bool:
        """Return whether things of an account exist for this one; "" has the operator's own."""
        match self.role:
            case Role.OPERATOR | Role.POLICY:
                return True
            case Role.ACCOUNT:
                return self.account == account != ""
            case Role.NOBODY:
                return False


NOBODY: Final = Principal(Role.NOBODY, "anonymous", "")


def account_login(user: str, account: str, origin: str) -> Principal:
    """Return the principal of an authenticated login."""
    return Principal(Role.ACCOUNT, f"login {user}", origin, account)


def policy_rule(name: str) -> Principal:
    """Return the server itself, which acts by a rule."""
    return Principal(Role.POLICY, f"policy {name}", THIS_SERVER)
