"""The rights that an operator or an account hands out: roles and scopes. Pure.

`admin/permissions` has the one table of the actions that each allows.
"""

from enum import StrEnum
from typing import Final


class GrantedRole(StrEnum):
    """A set of rights with a name, for a person or a program."""

    OPERATOR = "operator"
    OPERATOR_READER = "operator-reader"
    ACCOUNT_ADMIN = "account-admin"
    ACCOUNT_OPERATOR = "account-operator"
    ACCOUNT_READER = "account-reader"

    @property
    def is_of_operators(self) -> bool:
        """Whether only operators have it."""
        return self in (GrantedRole.OPERATOR, GrantedRole.OPERATOR_READER)


class Scope(StrEnum):
    """A small set of rights, for a program that does one thing."""

    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"
    LOGIN_WRITE = "login:write"
    TOKEN_WRITE = "token:write"  # noqa: S105  a name
    USER_WRITE = "user:write"
    PORTAL_LINK = "portal:link"
    DOMAIN_READ = "domain:read"
    DOMAIN_WRITE = "domain:write"
    DOMAIN_DIRECT = "domain:direct"
    RECIPIENTS_WRITE = "recipients:write"
    QUEUE_READ = "queue:read"
    QUEUE_WRITE = "queue:write"
    RELEASE = "release"
    HISTORY_READ = "history:read"
    CONTENT_READ = "content:read"
    CONTENT_WRITE = "content:write"
    PERSON_WRITE = "person:write"
    AUDIT_READ = "audit:read"
    CHANNELS_WRITE = "channels:write"
    CONFIGURATION_READ = "configuration:read"
    CONFIGURATION_WRITE = "configuration:write"
    SERVER_READ = "server:read"
    STORE_WRITE = "store:write"

    @property
    def is_of_operators(self) -> bool:
        """Whether it concerns the platform, so that only operators have it."""
        return self in (
            Scope.ACCOUNT_WRITE,
            Scope.CONTENT_WRITE,
            Scope.PERSON_WRITE,
            Scope.SERVER_READ,
            Scope.STORE_WRITE,
        )


Grant = GrantedRole | Scope
ALL_GRANTS: Final[tuple[Grant, ...]] = (*GrantedRole, *Scope)


def parse_grant(text: str) -> Grant:
    """Return the role or scope of that name. Raises ValueError."""
    return GrantedRole(text) if text in list(GrantedRole) else Scope(text)
