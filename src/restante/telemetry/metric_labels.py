"""The labels of metrics, with all their values, and how an event has them."""

from restante.telemetry.authentication_result import AuthenticationLimit, AuthenticationResult
from restante.telemetry.events import (
    AuthenticationEnded,
    MailRefused,
    NoticeDeferred,
    NoticeGivenUp,
    NoticeSent,
    RecipientRefused,
    ReportDropped,
    ReportMade,
    ReportSent,
)
from restante.telemetry.metric_types import LabelValues, MetricLabel


def code_of(event: MailRefused | RecipientRefused) -> LabelValues:
    """Return the code of the answer."""
    return (str(event.code),)


def count_of(event: MailRefused | RecipientRefused) -> int:
    """Return how many the line stands for."""
    return 1 if event.count is None else event.count


def authentication_of(event: AuthenticationEnded) -> LabelValues:
    """Return the mechanism and the result."""
    return event.mechanism, event.result


def deferral_of(event: AuthenticationEnded) -> LabelValues | None:
    """Return the limit that deferred it, None if none did."""
    return None if event.deferred_by is None else (event.deferred_by,)


def action_of(event: ReportMade | ReportSent | ReportDropped) -> LabelValues:
    """Return the action that a report is about."""
    return (event.action,)


def way_of(event: NoticeSent | NoticeDeferred | NoticeGivenUp) -> LabelValues:
    """Return the transport by which a notice is sent."""
    return (event.transport,)


MECHANISM = MetricLabel("mechanism", ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"))
AUTHENTICATION_RESULT = MetricLabel("result", tuple(AuthenticationResult))
DEFERRAL_LIMIT = MetricLabel("limit", tuple(AuthenticationLimit))
RELEASE_RESULT = MetricLabel(
    "result",
    ("granted", "nothing-held", "refused", "not-authenticated", "cannot-now", "not-a-target"),
)
DOOR_LIMIT = MetricLabel(
    "limit",
    (
        "too many sessions",
        "too many sessions from one address block",
        "too many unauthenticated sessions",
        "too many connections in a minute from one address block",
    ),
)
HTTP_SERVICE = MetricLabel("service", ("control", "metrics", "web"))
HTTP_CUT = MetricLabel(
    "reason",
    (
        "too many connections",
        "too many connections from one address block",
        "too many requests of a stranger",
        "no request in time",
        "answer not taken in time",
        "TLS failed",
    ),
)
HTTP_REFUSAL = MetricLabel(
    "reason",
    (
        "no credentials",
        "not through a trusted proxy",
        "too many requests at once",
        "too many requests of strangers",
        "body too large",
        "took too long",
        "malformed",
    ),
)
SESSION_END = MetricLabel(
    "reason",
    (
        "quit",
        "closed by client",
        "closed by client in mid-content",
        "connection lost",
        "connection lost in mid-content",
        "timed out",
        "timed out in mid-content",
        "no message for too long",
        "no message for too long in mid-content",
        "too many errors",
        "too many commands before EHLO",
        "too many commands that do nothing",
        "too many refused recipients",
        "too many failed authentications",
        "unreadable BDAT",
        "data before TLS",
        "turned around",
        "TLS failed",
        "TLS failed in mid-content",
        "server stopping",
        "server stopping in mid-content",
        "internal error",
    ),
)
DRAIN_STATE = MetricLabel(
    "state",
    (
        "waiting its turn",
        "looking up the destination",
        "delivering",
        "settling",
        "waiting to retry",
        "stopping",
        "waiting for a server",
    ),
)
DELIVERY_END = MetricLabel(
    "end",
    (
        "quit",
        "unreachable",
        "tls failed",
        "refused",
        "busy",
        "broken",
        "unreadable",
        "aborted",
        "no route",
    ),
)
DOING = MetricLabel(
    "doing",
    (
        "hold",
        "spool",
        "audit",
        "settle",
        "start drain",
        "close drain",
        "claim drains",
        "give drains back",
        "read records",
        "learn",
        "keep logins",
        "retention",
        "clock",
        "history",
        "presence",
        "used values",
        "held mail",
        "account use",
        "scrub",
        "collect garbage",
        "certificate",
        "sweep",
        "watch",
        "report",
        "notice",
        "request",
        "token uses",
        "portal sessions",
        "scheduled changes",
        "applying",
        "keeping an answer",
    ),
)
REPORT_ACTION = MetricLabel("action", ("failed", "delayed", "relayed"))
TRANSPORT = MetricLabel("transport", ("webhook", "mail", "apprise"))
