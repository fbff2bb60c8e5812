"""The audit trail: who asked for what, from where, what was answered, and the true reason.

The reply on the wire hides the reason (a stranger must not learn which domains exist); the trail keeps it.
"""

from dataclasses import dataclass
from enum import StrEnum


class AuditAction(StrEnum):
    """Everything that leaves an entry. Closed: a new action is a new member here and a line in the reference."""

    RELEASE_REQUESTED = "release-requested"
    ACCOUNT_ADDED = "account-added"
    ACCOUNT_CHANGED = "account-changed"
    ACCOUNT_REMOVED = "account-removed"
    LOGIN_ADDED = "login-added"
    LOGIN_CHANGED = "login-changed"
    LOGIN_REMOVED = "login-removed"
    DOMAIN_ADDED = "domain-added"
    DOMAIN_CHANGED = "domain-changed"
    DOMAIN_REMOVED = "domain-removed"
    RECIPIENTS_CHANGED = "recipients-changed"
    MAIL_DELETED = "mail-deleted"
    MAIL_BOUNCED = "mail-bounced"
    REFUSED_RELEASED = "refused-released"
    MAIL_EXPIRED = "mail-expired"
    CONTENT_READ = "content-read"
    MAIL_EXPORTED = "mail-exported"
    MAIL_IMPORTED = "mail-imported"
    REPORTS_DROPPED = "reports-dropped"
    CHANNEL_ADDED = "notice-channel-added"
    CHANNEL_CHANGED = "notice-channel-changed"
    CHANNEL_REMOVED = "notice-channel-removed"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail."""

    at: float  # Unix time
    action: AuditAction
    actor: str  # "login alice", "operator", "anonymous"
    subject: str  # what it was about: a domain, `@domain`, `#name`, an account, a user name, a message
    account: str = ""  # whose data; "" where none could be named
    origin: str = ""  # address it came from; "control socket" for the operator
    answer: str = ""  # for requests: the reply as sent
    reason: str = ""  # the true reason, or the operator's --reason


def is_granted_request(entry: AuditEntry) -> bool:
    """Tell whether mail was asked for, and that was allowed, whether or not any was held."""
    return entry.action is AuditAction.RELEASE_REQUESTED and entry.answer.startswith("2")
