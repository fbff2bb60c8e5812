"""The audit trail: each request, its actor, where it came from, the answer and the true reason.

The reply on the wire hides the reason (a stranger must not learn which domains exist); the trail
keeps it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from restante.tenancy.actor import actors_named
from restante.tenancy.record_change import Change
from restante.tenancy.release_result import ReleaseResult


class AuditAction(StrEnum):
    """Everything that leaves an entry.

    Closed: a new action is a new member here and a line in the reference.
    """

    RELEASE_REQUESTED = "release-requested"
    TURNAROUND_REQUESTED = "turnaround-requested"
    ACCOUNT_ADDED = "account-added"
    ACCOUNT_CHANGED = "account-changed"
    ACCOUNT_REMOVED = "account-removed"
    LOGIN_ADDED = "login-added"
    LOGIN_CHANGED = "login-changed"
    LOGIN_REMOVED = "login-removed"
    TOKEN_ADDED = "token-added"  # noqa: S105  a name
    TOKEN_REVOKED = "token-revoked"  # noqa: S105
    USER_INVITED = "user-invited"
    USER_ADDED = "user-added"
    USER_CHANGED = "user-changed"
    USER_REMOVED = "user-removed"
    PORTAL_LINK_MADE = "portal-link-made"
    SIGNED_IN = "signed-in"
    SIGN_IN_REFUSED = "sign-in-refused"
    FACTOR_SHOWN = "factor-shown"
    SESSION_ENDED = "session-ended"
    LOGIN_REFUSED = "login-refused"
    DOMAIN_ADDED = "domain-added"
    DOMAIN_CHANGED = "domain-changed"
    DOMAIN_REMOVED = "domain-removed"
    DOMAIN_DRILLED = "domain-drilled"
    CHANGE_SCHEDULED = "change-scheduled"
    CHANGE_CANCELLED = "change-cancelled"
    CHANGE_APPLIED = "change-applied"
    CHANGE_DROPPED = "change-dropped"
    RECIPIENTS_CHANGED = "recipients-changed"
    PERSON_EXPORTED = "person-exported"
    PERSON_ERASED = "person-erased"
    MAIL_DELETED = "mail-deleted"
    MAIL_BOUNCED = "mail-bounced"
    MAIL_HELD_AGAIN = "mail-held-again"
    MAIL_EXPIRED = "mail-expired"
    CONTENT_READ = "content-read"
    MAIL_EXPORTED = "mail-exported"
    MAIL_IMPORTED = "mail-imported"
    SESSIONS_TRACED = "sessions-traced"
    DRAIN_STOPPED = "drain-stopped"
    REPORTS_DROPPED = "reports-dropped"
    CHANNEL_ADDED = "notice-channel-added"
    CHANNEL_CHANGED = "notice-channel-changed"
    CHANNEL_REMOVED = "notice-channel-removed"
    SECRETS_EXPORTED = "secrets-exported"
    STORE_MOVED = "store-moved"
    NODE_RETIRED = "node-retired"
    NODE_REMOVED = "node-removed"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail."""

    at: float  # Unix time
    action: AuditAction
    actor: str  # "login alice", "operator root", "anonymous"
    subject: (
        str  # the thing concerned: a domain, `@domain`, `#name`, an account, a user name, a message
    )
    account: str = ""  # whose data; "" where none could be named
    acted_from: str = ""  # an address, or a place: "control socket", "command line", "this server"
    answer: str = ""  # for requests: the reply as sent
    reason: str = ""  # the true reason, or the operator's --reason
    domain: str = (
        ""  # canonical name of the hosted domain it concerns; "" where it is none, or several
    )
    changes: tuple[Change, ...] = ()  # of a record: each field that differs
    result: ReleaseResult | None = None  # of a request to release mail


class AuditFilter(NamedTuple):
    """Which entries are wanted; None is any."""

    account: str | None = None
    domain: str | None = None
    action: str | None = None
    actor: str | None = None  # all of it, or a word of it: "login alice", "alice"
    since: float | None = None  # Unix time, included
    until: float | None = None  # Unix time, not included
    names: str | None = None  # a word of the subject, such as the name of a message
    domains: frozenset[str] | None = None  # entries about one of these domains only

    def accepts(self, entry: AuditEntry) -> bool:
        """Tell whether an entry is one of these."""
        return (
            self.account in (None, entry.account)
            and self.domain in (None, entry.domain)
            and self.action in (None, entry.action)
            and (self.actor is None or actors_named(self.actor).accepts(entry.actor))
            and (self.since is None or entry.at >= self.since)
            and (self.until is None or entry.at < self.until)
            and (self.domains is None or entry.domain in self.domains)
            and (self.names is None or self.names in entry.subject.split())
        )


EVERY_ENTRY = AuditFilter()


def is_granted_request(entry: AuditEntry) -> bool:
    """Tell whether mail was asked for, and that was allowed, whether or not any was held."""
    return entry.result is not None and entry.result.is_done
