"""A provider of OpenID Connect as it is configured, and the rights of its groups. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from restante.tenancy.grants import Grant, GrantedRole, Scope


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Members of a group have a role: of an account, or of the operators."""

    group: str
    role: GrantedRole
    account: str = ""  # "" is the operators
    scopes: tuple[Scope, ...] = ()  # in addition to the role

    @property
    def grants(self) -> frozenset[Grant]:
        """The role and the scopes."""
        return frozenset({self.role, *self.scopes})


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """The settings of a provider."""

    issuer: str
    client_id: str
    secret_file: str  # "" for a public client
    name: str  # on the button
    scopes: tuple[str, ...]
    groups_claim: str
    rules: tuple[RoleRule, ...]
    ca_file: str  # "" for the system's authorities
    timeout: float  # seconds for one request


def rule_for(rules: Iterable[RoleRule], groups: Collection[str]) -> RoleRule | None:
    """Return the first rule whose group a person is in; None for somebody without rights."""
    return next((one for one in rules if one.group in groups), None)
