"""The actor of a request: an operator, an account, or the server itself by a policy. Pure.

`admin/permissions` has the one table of the actions that roles and scopes allow.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from restante.tenancy.actor import Actor, ActorKind
from restante.tenancy.grants import Grant, GrantedRole

CONTROL_SOCKET: Final = "control socket"
COMMAND_LINE: Final = "command line"
THIS_SERVER: Final = "this server"


class Role(StrEnum):
    """The kinds of principals. Each has its upper limit of rights."""

    OPERATOR = "operator"  # runs the platform
    ACCOUNT = "account"  # a customer
    POLICY = "policy"  # the server, by a rule
    NOBODY = "nobody"  # not authenticated


@dataclass(frozen=True, slots=True)
class Principal:
    """One who acts, as authenticated. `actor` and `acted_from` stand in the audit trail."""

    role: Role
    actor: Actor
    acted_from: str  # an address, or one of the places above
    account: str = ""  # of a customer; "" for the others
    # Roles and scopes. One grant of each set must allow an action: of the principal's own set, and
    # of the set of each maker of its token. Without any set, the role alone decides.
    grants: tuple[frozenset[Grant], ...] = ()
    domains: frozenset[str] | None = None  # the only ones that exist for it; None: no such limit
    token: str = ""  # the id of the token that it uses
    user: str = ""  # the email address of the portal user that it is

    @property
    def name(self) -> str:
        """The stored form of its actor."""
        return self.actor.text

    @property
    def sees_everything(self) -> bool:
        """Whether things of all accounts exist for this one, and those of the operator."""
        return self.domains is None and self.role in (Role.OPERATOR, Role.POLICY)

    def sees(self, account: str) -> bool:
        """Return whether things of an account exist for this one; "" has the operator's own.

        They do not for a principal with a list of domains: they concern the other domains too.
        """
        return self.domains is None and self._reaches(account)

    def sees_domain(self, account: str, domain: str) -> bool:
        """Return whether a domain of an account exists for this one."""
        return self._reaches(account) and (self.domains is None or domain in self.domains)

    def _reaches(self, account: str) -> bool:
        match self.role:
            case Role.OPERATOR | Role.POLICY:
                return True
            case Role.ACCOUNT:
                return self.account == account != ""
            case Role.NOBODY:
                return False


NOBODY: Final = Principal(Role.NOBODY, Actor(ActorKind.ANONYMOUS), "")


def account_login(user: str, account: str, acted_from: str) -> Principal:
    """Return the principal of an authenticated login."""
    grants = frozenset({GrantedRole.ACCOUNT_ADMIN})
    return Principal(Role.ACCOUNT, Actor(ActorKind.LOGIN, user), acted_from, account, (grants,))


def policy_rule(name: str) -> Principal:
    """Return the server itself, which acts by a rule."""
    return Principal(Role.POLICY, Actor(ActorKind.POLICY, name), THIS_SERVER)
