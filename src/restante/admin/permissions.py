"""Permissions: the one table of roles and actions. Nothing else decides them.

Each function that the API or the command line calls begins with `permit`. An account's principal
may act only on things of its account: `scope` and the `find_` functions see to that. Another
account's things do not exist for it, so a foreign name and an unknown one get the same answer.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from restante.admin.admin_error import AdminError, ErrorKind
from restante.tenancy.policy_settings import SETTINGS
from restante.tenancy.principal import Principal, Role


class AdminAction(StrEnum):
    """The actions of administration. Closed: a new one gets a row in the table below."""

    ACCOUNT_ADD = "add an account"
    ACCOUNT_LIST = "list accounts"
    ACCOUNT_SHOW = "show an account"
    ACCOUNT_CHANGE = "change an account"
    ACCOUNT_REMOVE = "remove an account"
    LOGIN_ADD = "add a login"
    LOGIN_LIST = "list logins"
    LOGIN_CHANGE = "change a login"
    LOGIN_REMOVE = "remove a login"
    DOMAIN_ADD = "add a domain"
    DOMAIN_LIST = "list domains"
    DOMAIN_SHOW = "show a domain"
    DOMAIN_CHANGE = "change a domain's policy"
    DOMAIN_LIMIT = "change a domain's limits"
    DOMAIN_DIRECT = "change a domain's destination"
    DOMAIN_AUTHORIZE = "change a domain's authorized hosts"
    DOMAIN_MOVE = "move a domain to another account"
    DOMAIN_REMOVE = "remove a domain"
    RECIPIENTS_LIST = "list recipients"
    RECIPIENTS_CHANGE = "change recipients"
    QUEUE_LIST = "list messages"
    QUEUE_SHOW = "show a message"
    QUEUE_DELETE = "delete messages"
    QUEUE_BOUNCE = "bounce messages"
    QUEUE_RELEASE = "release refused messages"
    CONTENT_READ = "read content"
    CONTENT_EXPORT = "export mail"
    CONTENT_IMPORT = "import mail"
    TRACE = "trace mail"
    REPORTS_LIST = "list reports"
    REPORTS_SHOW = "show a report"
    REPORTS_DROP = "drop reports"
    CHANNEL_ADD = "add a notice channel"
    CHANNEL_LIST = "list notice channels"
    CHANNEL_CHANGE = "change a notice channel"
    CHANNEL_REMOVE = "remove a notice channel"
    CHANNEL_TEST = "test a notice channel"
    NOTICES_LIST = "list waiting notices"
    RELEASE = "release mail"
    RELEASE_LIST = "list releases"
    DRAIN_LIST = "list drains"
    DRAIN_STOP = "stop a drain"
    AUDIT_LIST = "list the audit trail"
    SERVER_STATUS = "show the server's status"
    SERVER_METRICS = "show metrics"
    STORE_BACKUP = "back up the store"
    STORE_CHECK = "check the store"
    STORE_SALVAGE = "salvage the store"


_OF_THE_PLATFORM: Final = frozenset(
    {
        AdminAction.ACCOUNT_ADD,
        AdminAction.ACCOUNT_CHANGE,
        AdminAction.ACCOUNT_REMOVE,
        AdminAction.DOMAIN_ADD,
        AdminAction.DOMAIN_LIMIT,
        AdminAction.DOMAIN_MOVE,
        AdminAction.DOMAIN_REMOVE,
        AdminAction.CONTENT_IMPORT,
        AdminAction.SERVER_STATUS,
        AdminAction.SERVER_METRICS,
        AdminAction.STORE_BACKUP,
        AdminAction.STORE_CHECK,
        AdminAction.STORE_SALVAGE,
    }
)
# With a stolen password alone, mail must reach nobody but the domain's own destination.
_MOVES_MAIL_ELSEWHERE: Final = frozenset(
    {
        AdminAction.DOMAIN_DIRECT,
        AdminAction.DOMAIN_AUTHORIZE,
        AdminAction.CONTENT_READ,
        AdminAction.CONTENT_EXPORT,
    }
)
PERMITTED: Final[Mapping[Role, frozenset[AdminAction]]] = {
    Role.OPERATOR: frozenset(AdminAction),
    Role.ACCOUNT: frozenset(AdminAction) - _OF_THE_PLATFORM - _MOVES_MAIL_ELSEWHERE,
    Role.POLICY: frozenset({AdminAction.SERVER_METRICS}),
    Role.NOBODY: frozenset(),
}

# The action that a field of a changed domain needs. A setting of the policy that is a limit
# needs DOMAIN_LIMIT, and everything else DOMAIN_CHANGE.
_FIELD_ACTIONS: Final[Mapping[str, AdminAction]] = {
    "account": AdminAction.DOMAIN_MOVE,
    "destination": AdminAction.DOMAIN_DIRECT,
    "tls": AdminAction.DOMAIN_DIRECT,
    "tls_ca": AdminAction.DOMAIN_DIRECT,
    "tls_pins": AdminAction.DOMAIN_DIRECT,
    "pin_now": AdminAction.DOMAIN_DIRECT,
    "destination_login": AdminAction.DOMAIN_DIRECT,
    "destination_password": AdminAction.DOMAIN_DIRECT,
    "connections": AdminAction.DOMAIN_LIMIT,
    "per_minute": AdminAction.DOMAIN_LIMIT,
    "allow": AdminAction.DOMAIN_AUTHORIZE,
    "add_allow": AdminAction.DOMAIN_AUTHORIZE,
    "drop_allow": AdminAction.DOMAIN_AUTHORIZE,
    **{one.name: AdminAction.DOMAIN_LIMIT for one in SETTINGS if one.is_limit},
}


def permit(principal: Principal, action: AdminAction) -> None:
    """Raise AdminError unless the table allows the action to the principal's role."""
    if action not in PERMITTED[principal.role]:
        raise AdminError(
            ErrorKind.NOT_ALLOWED,
            f"{action}: {principal.name} is not allowed to",
            "ask an operator of this server",
        )


def permit_fields(principal: Principal, given: Iterable[str]) -> None:
    """Raise AdminError unless the principal may change all these fields of a domain."""
    for name in given:
        permit(principal, _FIELD_ACTIONS.get(name, AdminAction.DOMAIN_CHANGE))
