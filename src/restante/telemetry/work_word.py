"""The words for the works of the server that can fail, as events and metrics name them."""

from enum import StrEnum


class WorkWord(StrEnum):
    """One work. Each is a value of `doing`."""

    HOLD = "hold"
    SPOOL = "spool"
    AUDIT = "audit"
    SETTLE = "settle"
    START_DRAIN = "start-drain"
    CLOSE_DRAIN = "close-drain"
    CLAIM_DRAINS = "claim-drains"
    RETURN_DRAINS = "return-drains"  # at the end of the process; they stay recorded
    KEEP_PLACES = "keep-places"  # where the next turnaround goes on
    READ_RECORDS = "read-records"
    SHARE_FAILURES = "share-failures"  # of logins, with other servers
    LEARN = "learn"  # of mailboxes, from a destination
    KEEP_LOGINS = "keep-logins"
    RETENTION = "retention"
    CLOCK = "clock"
    HISTORY = "history"
    PRESENCE = "presence"
    USED_VALUES = "used-values"
    HELD_MAIL = "held-mail"
    ACCOUNT_USE = "account-use"
    SCRUB = "scrub"
    SWEEP_OBJECTS = "sweep-objects"
    COLLECT_GARBAGE = "collect-garbage"
    CERTIFICATE = "certificate"
    ORDER_CERTIFICATES = "order-certificates"
    SWEEP = "sweep"
    WATCH = "watch"
    REPORT = "report"
    NOTICE = "notice"
    REQUEST = "request"  # to the API
    TOKEN_USES = "token-uses"  # noqa: S105  a name
    PORTAL_SESSIONS = "portal-sessions"
    SCHEDULED_CHANGES = "scheduled-changes"
    DOMAIN_PROOF = "domain-proof"
    DRILLS = "drills"
    APPLY = "apply"
    EVENT_FEED = "event-feed"
    BEGIN_KEEPERS = "begin-keepers"  # of records that wait for their time
    KEEP_ANSWER = "keep-answer"
    SIGN_OF_LIFE = "sign-of-life"  # to the service manager


class DefectPlace(StrEnum):
    """Works that a defect can end, and that use no store. Also values of `doing`."""

    COUNT_MAIL = "count-mail"
    ANSWER = "answer"
    CALLOUT = "callout"
    CALLBACK = "callback"  # of the event loop
