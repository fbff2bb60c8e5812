"""A line about each right that a token can have, in groups, for the form. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from restante.tenancy.grants import Grant, GrantedRole, Scope


class GrantGroup(NamedTuple):
    """Rights of one kind, each with its line."""

    title: str
    lines: list[tuple[Grant, str]]


_GROUPS: Final[dict[str, dict[Grant, str]]] = {
    "A whole role": {
        GrantedRole.OPERATOR: "everything on this server",
        GrantedRole.OPERATOR_READER: "see everything, change nothing, read no content",
        GrantedRole.ACCOUNT_ADMIN: "everything in the account",
        GrantedRole.ACCOUNT_OPERATOR: "release, queue and drills, no settings",
        GrantedRole.ACCOUNT_READER: "look only",
    },
    "Mail": {
        Scope.RELEASE: "ask for held mail, as an ETRN does",
        Scope.QUEUE_READ: "see held and refused mail, without its content",
        Scope.QUEUE_WRITE: "delete, bounce and hold mail again",
        Scope.HISTORY_READ: "search mail that has left, and releases",
        Scope.CONTENT_READ: "read the content of mail",
        Scope.CONTENT_WRITE: "put mail into the queue",
    },
    "Domains": {
        Scope.DOMAIN_READ: "see domains and their policy",
        Scope.DOMAIN_WRITE: "change domains and their policy",
        Scope.DOMAIN_DIRECT: "change destinations",
        Scope.RECIPIENTS_WRITE: "change the lists of known recipients",
        Scope.CHANNELS_WRITE: "change the channels of notices",
    },
    "Accounts and people": {
        Scope.ACCOUNT_READ: "see accounts and their use",
        Scope.ACCOUNT_WRITE: "add, change and remove accounts",
        Scope.LOGIN_WRITE: "change logins and their passwords",
        Scope.TOKEN_WRITE: "make and revoke tokens",
        Scope.USER_WRITE: "invite, change and remove people",
        Scope.PORTAL_LINK: "open the portal for a person, from another site",
        Scope.PERSON_WRITE: "export and erase the data of a person",
        Scope.AUDIT_READ: "read the audit trail",
    },
    "The server": {
        Scope.CONFIGURATION_READ: "export domains and settings as a file",
        Scope.CONFIGURATION_WRITE: "apply such a file",
        Scope.SERVER_READ: "see the state of the server, and its metrics",
        Scope.STORE_WRITE: "back up, check and move the store",
    },
}


def grouped_grants(grants: Sequence[Grant]) -> list[GrantGroup]:
    """Return these rights in groups; a group without any is left out."""
    found = [
        GrantGroup(title, [(one, text) for one, text in lines.items() if one in grants])
        for title, lines in _GROUPS.items()
    ]
    return [group for group in found if group.lines]
