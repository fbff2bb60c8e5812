"""Permissions: the one table of roles, scopes and actions. Nothing else decides them.

Each function that the API or the command line calls begins with `permit`. An account's principal
may act only on things of its account: `scope` and the `find_` functions see to that. Another
account's things do not exist for it, so a foreign name and an unknown one get the same answer.

The role of a principal is the upper limit of its rights. A token has grants in addition: roles and
scopes. It may do what one of its grants allows, within that limit and the rights of its maker.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from restante.admin.admin_error import AdminError, ErrorKind
from restante.stable_word import StableWord
from restante.tenancy.grants import Grant, GrantedRole, Scope
from restante.tenancy.policy_settings import SETTINGS
from restante.tenancy.principal import Principal, Role


class AdminAction(StableWord):
    """The actions of administration. Closed: a new one gets a row in the table below."""

    ACCOUNT_ADD = "account-add", "add an account"
    ACCOUNT_LIST = "account-list", "list accounts"
    ACCOUNT_SHOW = "account-show", "show an account"
    ACCOUNT_CHANGE = "account-change", "change an account"
    ACCOUNT_REMOVE = "account-remove", "remove an account"
    LOGIN_ADD = "login-add", "add a login"
    LOGIN_LIST = "login-list", "list logins"
    LOGIN_CHANGE = "login-change", "change a login"
    LOGIN_REMOVE = "login-remove", "remove a login"
    TOKEN_ADD = "token-add", "add a token"
    TOKEN_LIST = "token-list", "list tokens"
    TOKEN_REVOKE = "token-revoke", "revoke a token"
    USER_INVITE = "user-invite", "invite a portal user"
    USER_LIST = "user-list", "list portal users"
    USER_CHANGE = "user-change", "change a portal user"
    USER_REMOVE = "user-remove", "remove a portal user"
    PORTAL_LINK = "portal-link", "make a link into the portal"
    DOMAIN_ADD = "domain-add", "add a domain"
    DOMAIN_LIST = "domain-list", "list domains"
    DOMAIN_SHOW = "domain-show", "show a domain"
    DOMAIN_CHECK = "domain-check", "check a domain"
    DOMAIN_DRILL = "domain-drill", "drill a domain"
    DOMAIN_SUSPEND = "domain-suspend", "suspend or resume a domain"
    DOMAIN_CHANGE = "domain-change", "change a domain's policy"
    DOMAIN_LIMIT = "domain-limit", "change a domain's limits"
    DOMAIN_DIRECT = "domain-direct", "change a domain's destination"
    DOMAIN_AUTHORIZE = "domain-authorize", "change a domain's authorized hosts"
    DOMAIN_MOVE = "domain-move", "move a domain to another account"
    DOMAIN_REMOVE = "domain-remove", "remove a domain"
    CHANGE_LIST = "change-list", "list waiting changes"
    CHANGE_CANCEL = "change-cancel", "cancel a waiting change"
    CHANGE_APPLY = "change-apply", "apply a waiting change early"
    RECIPIENTS_LIST = "recipients-list", "list recipients"
    RECIPIENTS_CHANGE = "recipients-change", "change recipients"
    QUEUE_LIST = "queue-list", "list messages"
    QUEUE_SHOW = "queue-show", "show a message"
    QUEUE_DELETE = "queue-delete", "delete messages"
    QUEUE_DELETE_LEFT = "queue-delete-left", "delete mail that left since a backup"
    QUEUE_BOUNCE = "queue-bounce", "bounce messages"
    QUEUE_RELEASE = "queue-release", "release refused messages"
    CONTENT_READ = "content-read", "read content"
    CONTENT_EXPORT = "content-export", "export mail"
    CONTENT_IMPORT = "content-import", "import mail"
    TRACE = "trace", "trace mail"
    PERSON_EXPORT = "person-export", "export what is kept about a person"
    PERSON_ERASE = "person-erase", "erase what is kept about a person"
    REPORTS_LIST = "reports-list", "list reports"
    REPORTS_SHOW = "reports-show", "show a report"
    REPORTS_DROP = "reports-drop", "drop reports"
    CHANNEL_ADD = "channel-add", "add a notice channel"
    CHANNEL_LIST = "channel-list", "list notice channels"
    CHANNEL_CHANGE = "channel-change", "change a notice channel"
    CHANNEL_EXPOSE = "channel-expose", "let a notice channel use plain HTTP"
    CHANNEL_REMOVE = "channel-remove", "remove a notice channel"
    CHANNEL_TEST = "channel-test", "test a notice channel"
    NOTICES_LIST = "notices-list", "list waiting notices"
    RELEASE = "release", "release mail"
    RELEASE_LIST = "release-list", "list releases"
    DRAIN_LIST = "drain-list", "list drains"
    DRAIN_STOP = "drain-stop", "stop a drain"
    EVENTS_FOLLOW = "events-follow", "follow events"
    AUDIT_LIST = "audit-list", "list the audit trail"
    CONFIGURATION_APPLY = "configuration-apply", "apply a configuration"
    CONFIGURATION_EXPORT = "configuration-export", "show records as a configuration"
    SECRETS_EXPORT = "secrets-export", "export sealed secrets"
    SERVER_STATUS = "server-status", "show the server's status"
    SERVER_METRICS = "server-metrics", "show metrics"
    SESSION_TRACE = "session-trace", "trace SMTP sessions"
    STORE_BACKUP = "store-backup", "back up the store"
    STORE_CHECK = "store-check", "check the store"
    STORE_SALVAGE = "store-salvage", "salvage the store"
    STORE_UPGRADE = "store-upgrade", "upgrade the store"
    STORE_MOVE = "store-move", "move the store"
    NODE_LIST = "node-list", "list nodes"
    NODE_RETIRE = "node-retire", "retire a node"
    NODE_REMOVE = "node-remove", "remove a node"


# These concern the whole platform, not some of its domains.
_OF_THE_WHOLE: Final = frozenset(
    {
        AdminAction.ACCOUNT_ADD,
        AdminAction.DOMAIN_ADD,
        AdminAction.QUEUE_DELETE_LEFT,
        AdminAction.PERSON_EXPORT,
        AdminAction.PERSON_ERASE,
        AdminAction.SECRETS_EXPORT,
        AdminAction.SERVER_STATUS,
        AdminAction.SERVER_METRICS,
        AdminAction.SESSION_TRACE,
        AdminAction.STORE_BACKUP,
        AdminAction.STORE_CHECK,
        AdminAction.STORE_SALVAGE,
        AdminAction.STORE_UPGRADE,
        AdminAction.STORE_MOVE,
        AdminAction.NODE_LIST,
        AdminAction.NODE_RETIRE,
        AdminAction.NODE_REMOVE,
    }
)
_OF_THE_PLATFORM: Final = _OF_THE_WHOLE | {
    AdminAction.ACCOUNT_CHANGE,
    AdminAction.ACCOUNT_REMOVE,
    AdminAction.DOMAIN_LIMIT,
    AdminAction.DOMAIN_MOVE,
    AdminAction.DOMAIN_REMOVE,
    AdminAction.CHANGE_APPLY,
    AdminAction.CHANNEL_EXPOSE,
    AdminAction.CONTENT_IMPORT,
}
# With a stolen password or token of an administrator, mail must reach nobody but the domain's own
# destination. These need a scope of their own.
_CONTENT: Final = frozenset({AdminAction.CONTENT_READ, AdminAction.CONTENT_EXPORT})
_MOVES_MAIL_ELSEWHERE: Final = _CONTENT | {AdminAction.DOMAIN_DIRECT, AdminAction.DOMAIN_AUTHORIZE}
# These concern every domain: they are refused to a principal with a list of domains.
_OF_ALL_DOMAINS: Final = _OF_THE_WHOLE | {
    AdminAction.CONFIGURATION_APPLY,
    AdminAction.CONFIGURATION_EXPORT,
}
_READING: Final = frozenset(
    {
        AdminAction.ACCOUNT_LIST,
        AdminAction.ACCOUNT_SHOW,
        AdminAction.LOGIN_LIST,
        AdminAction.TOKEN_LIST,
        AdminAction.USER_LIST,
        AdminAction.DOMAIN_LIST,
        AdminAction.DOMAIN_SHOW,
        AdminAction.CHANGE_LIST,
        AdminAction.RECIPIENTS_LIST,
        AdminAction.QUEUE_LIST,
        AdminAction.QUEUE_SHOW,
        AdminAction.TRACE,
        AdminAction.RELEASE_LIST,
        AdminAction.REPORTS_LIST,
        AdminAction.REPORTS_SHOW,
        AdminAction.CHANNEL_LIST,
        AdminAction.NOTICES_LIST,
        AdminAction.DRAIN_LIST,
        AdminAction.EVENTS_FOLLOW,
        AdminAction.AUDIT_LIST,
        AdminAction.CONFIGURATION_EXPORT,
    }
)
_OPERATING: Final = frozenset(
    {
        AdminAction.RELEASE,
        AdminAction.DRAIN_STOP,
        AdminAction.QUEUE_DELETE,
        AdminAction.QUEUE_BOUNCE,
        AdminAction.QUEUE_RELEASE,
        AdminAction.REPORTS_DROP,
        AdminAction.DOMAIN_CHECK,  # it connects to the destination
        AdminAction.DOMAIN_DRILL,
        AdminAction.DOMAIN_SUSPEND,
    }
)
_EVERYTHING: Final = frozenset(AdminAction)
_CHANGES_POLICY: Final = frozenset({AdminAction.DOMAIN_SUSPEND, AdminAction.DOMAIN_CHANGE})
_SHOWS_QUEUE: Final = frozenset(
    {
        AdminAction.QUEUE_LIST,
        AdminAction.QUEUE_SHOW,
        AdminAction.REPORTS_LIST,
        AdminAction.REPORTS_SHOW,
        AdminAction.RELEASE_LIST,
        AdminAction.DRAIN_LIST,
    }
)
_SHOWS_ACCOUNT: Final = frozenset(
    {
        AdminAction.ACCOUNT_LIST,
        AdminAction.ACCOUNT_SHOW,
        AdminAction.LOGIN_LIST,
        AdminAction.TOKEN_LIST,
        AdminAction.USER_LIST,
        AdminAction.CHANNEL_LIST,
        AdminAction.NOTICES_LIST,
        AdminAction.EVENTS_FOLLOW,
    }
)
_CHANGES_RECORDS: Final = frozenset(
    {
        AdminAction.ACCOUNT_ADD,
        AdminAction.ACCOUNT_CHANGE,
        AdminAction.ACCOUNT_REMOVE,
        AdminAction.LOGIN_ADD,
        AdminAction.LOGIN_CHANGE,
        AdminAction.LOGIN_REMOVE,
        AdminAction.DOMAIN_ADD,
        AdminAction.DOMAIN_LIMIT,
        AdminAction.DOMAIN_MOVE,
        AdminAction.DOMAIN_REMOVE,
        AdminAction.RECIPIENTS_CHANGE,
        AdminAction.CHANNEL_ADD,
        AdminAction.CHANNEL_CHANGE,
        AdminAction.CHANNEL_EXPOSE,
        AdminAction.CHANNEL_REMOVE,
    }
)
_OF_SCOPES: Final[Mapping[Grant, frozenset[AdminAction]]] = {
    Scope.ACCOUNT_READ: _SHOWS_ACCOUNT,
    Scope.ACCOUNT_WRITE: frozenset(
        {
            AdminAction.ACCOUNT_LIST,
            AdminAction.ACCOUNT_SHOW,
            AdminAction.ACCOUNT_ADD,
            AdminAction.ACCOUNT_CHANGE,
            AdminAction.ACCOUNT_REMOVE,
            AdminAction.DOMAIN_ADD,
            AdminAction.DOMAIN_LIMIT,
            AdminAction.DOMAIN_MOVE,
            AdminAction.DOMAIN_REMOVE,
        }
    )
    | _CHANGES_POLICY,
    Scope.LOGIN_WRITE: frozenset(
        {
            AdminAction.LOGIN_ADD,
            AdminAction.LOGIN_LIST,
            AdminAction.LOGIN_CHANGE,
            AdminAction.LOGIN_REMOVE,
        }
    ),
    Scope.TOKEN_WRITE: frozenset(
        {AdminAction.TOKEN_ADD, AdminAction.TOKEN_LIST, AdminAction.TOKEN_REVOKE}
    ),
    Scope.USER_WRITE: frozenset(
        {
            AdminAction.USER_INVITE,
            AdminAction.USER_LIST,
            AdminAction.USER_CHANGE,
            AdminAction.USER_REMOVE,
        }
    ),
    Scope.PORTAL_LINK: frozenset({AdminAction.PORTAL_LINK}),
    Scope.DOMAIN_READ: frozenset(
        {
            AdminAction.DOMAIN_LIST,
            AdminAction.DOMAIN_SHOW,
            AdminAction.CHANGE_LIST,
            AdminAction.RECIPIENTS_LIST,
        }
    ),
    Scope.DOMAIN_WRITE: _CHANGES_POLICY | {AdminAction.DOMAIN_CHECK},
    Scope.DOMAIN_DIRECT: _CHANGES_POLICY
    | {
        AdminAction.DOMAIN_DIRECT,
        AdminAction.DOMAIN_AUTHORIZE,
        AdminAction.CHANGE_LIST,
        AdminAction.CHANGE_CANCEL,
        AdminAction.CHANGE_APPLY,
    },
    Scope.RECIPIENTS_WRITE: frozenset({AdminAction.RECIPIENTS_LIST, AdminAction.RECIPIENTS_CHANGE}),
    Scope.QUEUE_READ: _SHOWS_QUEUE,
    Scope.QUEUE_WRITE: _SHOWS_QUEUE
    | {
        AdminAction.QUEUE_DELETE,
        AdminAction.QUEUE_BOUNCE,
        AdminAction.QUEUE_RELEASE,
        AdminAction.REPORTS_DROP,
        AdminAction.DRAIN_STOP,
    },
    Scope.RELEASE: frozenset(
        {
            AdminAction.RELEASE,
            AdminAction.RELEASE_LIST,
            AdminAction.DRAIN_LIST,
            AdminAction.DOMAIN_DRILL,
        }
    ),
    Scope.HISTORY_READ: frozenset({AdminAction.TRACE, AdminAction.RELEASE_LIST}),
    Scope.CONTENT_READ: _CONTENT,
    Scope.CONTENT_WRITE: frozenset({AdminAction.CONTENT_IMPORT}),
    Scope.PERSON_WRITE: frozenset(
        {
            AdminAction.PERSON_EXPORT,
            AdminAction.PERSON_ERASE,
            AdminAction.SESSION_TRACE,  # it shows addresses of people
        }
    ),
    Scope.AUDIT_READ: frozenset({AdminAction.AUDIT_LIST}),
    Scope.CHANNELS_WRITE: frozenset(
        {
            AdminAction.CHANNEL_ADD,
            AdminAction.CHANNEL_LIST,
            AdminAction.CHANNEL_CHANGE,
            AdminAction.CHANNEL_EXPOSE,
            AdminAction.CHANNEL_REMOVE,
            AdminAction.CHANNEL_TEST,
            AdminAction.NOTICES_LIST,
        }
    ),
    Scope.CONFIGURATION_READ: frozenset({AdminAction.CONFIGURATION_EXPORT}),
    # Each record of a configuration needs its own action too. To direct and authorize needs a scope
    # of its own, unless the domain is new.
    Scope.CONFIGURATION_WRITE: _CHANGES_RECORDS
    | _CHANGES_POLICY
    | {AdminAction.CONFIGURATION_EXPORT, AdminAction.CONFIGURATION_APPLY},
    Scope.SERVER_READ: frozenset(
        {
            AdminAction.SERVER_STATUS,
            AdminAction.SERVER_METRICS,
            AdminAction.DRAIN_LIST,
            AdminAction.NODE_LIST,
        }
    ),
    Scope.STORE_WRITE: frozenset(
        {
            AdminAction.STORE_BACKUP,  # which has the same secrets
            AdminAction.QUEUE_DELETE_LEFT,  # after a restore
            AdminAction.SECRETS_EXPORT,
            AdminAction.STORE_CHECK,
            AdminAction.STORE_SALVAGE,
            AdminAction.STORE_UPGRADE,
            AdminAction.STORE_MOVE,
            AdminAction.NODE_RETIRE,
            AdminAction.NODE_REMOVE,
        }
    ),
}
PERMITTED: Final[Mapping[Role, frozenset[AdminAction]]] = {
    Role.OPERATOR: _EVERYTHING,
    Role.ACCOUNT: _EVERYTHING - _OF_THE_PLATFORM,
    Role.POLICY: frozenset({AdminAction.SERVER_METRICS, AdminAction.DOMAIN_DRILL}),
    Role.NOBODY: frozenset(),
}
GRANTED: Final[Mapping[Grant, frozenset[AdminAction]]] = {
    GrantedRole.OPERATOR: _EVERYTHING - _CONTENT,
    GrantedRole.OPERATOR_READER: _READING
    | {AdminAction.SERVER_STATUS, AdminAction.SERVER_METRICS, AdminAction.NODE_LIST},
    GrantedRole.ACCOUNT_ADMIN: _EVERYTHING - _OF_THE_PLATFORM - _MOVES_MAIL_ELSEWHERE,
    GrantedRole.ACCOUNT_OPERATOR: _READING | _OPERATING,
    GrantedRole.ACCOUNT_READER: _READING,
    **_OF_SCOPES,
}

# The action that a field of a changed domain needs. A setting of the policy that is a limit
# needs DOMAIN_LIMIT, and everything else DOMAIN_CHANGE.
_FIELD_ACTIONS: Final[Mapping[str, AdminAction]] = {
    "account": AdminAction.DOMAIN_MOVE,
    "hold": AdminAction.DOMAIN_SUSPEND,  # or more, by its value: domains.change_domain
    "reason": AdminAction.DOMAIN_SUSPEND,
    "until": AdminAction.DOMAIN_SUSPEND,
    "while_suspended": AdminAction.DOMAIN_SUSPEND,
    "destination": AdminAction.DOMAIN_DIRECT,
    "tls": AdminAction.DOMAIN_DIRECT,
    "tls_ca": AdminAction.DOMAIN_DIRECT,
    "tls_pins": AdminAction.DOMAIN_DIRECT,
    "pin_now": AdminAction.DOMAIN_DIRECT,
    "destination_login": AdminAction.DOMAIN_DIRECT,
    "destination_password": AdminAction.DOMAIN_DIRECT,
    "destination_set_by": AdminAction.DOMAIN_DIRECT,
    "client_address": AdminAction.DOMAIN_DIRECT,
    "private_destination": AdminAction.DOMAIN_LIMIT,
    "connections": AdminAction.DOMAIN_LIMIT,
    "per_minute": AdminAction.DOMAIN_LIMIT,
    "allow": AdminAction.DOMAIN_AUTHORIZE,
    "add_allow": AdminAction.DOMAIN_AUTHORIZE,
    "drop_allow": AdminAction.DOMAIN_AUTHORIZE,
    **{one.name: AdminAction.DOMAIN_LIMIT for one in SETTINGS if one.is_limit},
}


def may(principal: Principal, action: AdminAction) -> bool:
    """Return whether the tables allow an action to a principal, and each of its sets of grants."""
    return (
        action in PERMITTED[principal.role]
        and all(action in actions_of(granted) for granted in principal.grants)
        and (principal.domains is None or action not in _OF_ALL_DOMAINS)
    )


def actions_of(grants: Iterable[Grant]) -> frozenset[AdminAction]:
    """Return the actions that any of the grants allows."""
    return frozenset().union(*(GRANTED[grant] for grant in grants))


def lacking_for(principal: Principal, grant: Grant, account: str) -> AdminAction | None:
    """Return an action of a grant that the principal has not; None if it has all.

    `account` is that of the one who would get the grant; "" is an operator.
    """
    limit = PERMITTED[Role.ACCOUNT if account else Role.OPERATOR]
    useful = sorted(actions_of([grant]) & limit, key=lambda action: action.text)
    return next((action for action in useful if not may(principal, action)), None)


def permit(principal: Principal, action: AdminAction) -> None:
    """Raise AdminError unless the principal may do this."""
    if not may(principal, action):
        raise AdminError(
            ErrorKind.NOT_ALLOWED,
            f"{action.text}: {principal.name} is not allowed to",
            "ask an operator of this server",
        )


def may_set(principal: Principal, field: str) -> bool:
    """Return whether the principal may change a field of a domain to any value."""
    is_policy = _FIELD_ACTIONS.get(field, AdminAction.DOMAIN_CHANGE)
    action = AdminAction.DOMAIN_CHANGE if field == "hold" else is_policy
    return may(principal, action)


def permit_fields(principal: Principal, given: Iterable[str]) -> None:
    """Raise AdminError unless the principal may change all these fields of a domain."""
    for name in given:
        permit(principal, _FIELD_ACTIONS.get(name, AdminAction.DOMAIN_CHANGE))
