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
from restante.telemetry.work_word import WorkWord


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


MECHANISM = MetricLabel("mechanism", ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "EXTERNAL"))
AUTHENTICATION_RESULT = MetricLabel("result", tuple(AuthenticationResult))
DEFERRAL_LIMIT = MetricLabel("limit", tuple(AuthenticationLimit))
RELEASE_RESULT = MetricLabel(
    "result",
    ("granted", "nothing-held", "refused", "not-authenticated", "cannot-now", "not-a-target"),
)
DOOR_LIMIT = MetricLabel(
    "cause",
    (
        "sessions",
        "sessions-per-block",
        "unauthenticated-sessions",
        "connections-per-minute",
    ),
)
HTTP_SERVICE = MetricLabel("service", ("control", "metrics", "web", "acme"))
HTTP_CUT = MetricLabel(
    "cause",
    (
        "too-many-connections",
        "too-many-per-block",
        "too-many-of-stranger",
        "no-request",
        "answer-not-taken",
        "tls-failed",
    ),
)
HTTP_REFUSAL = MetricLabel(
    "cause",
    (
        "no-credentials",
        "no-proxy",
        "too-many-requests",
        "too-many-of-strangers",
        "too-large",
        "too-slow",
        "malformed",
    ),
)
SESSION_END = MetricLabel(
    "end",
    (
        "quit",
        "closed-by-client",
        "connection-lost",
        "tls-failed",
        "timed-out",
        "no-message",
        "too-many-errors",
        "too-many-early-commands",
        "too-many-idle-commands",
        "too-many-refused-recipients",
        "too-many-failed-authentications",
        "unreadable-bdat",
        "data-before-tls",
        "turned-around",
        "server-stopping",
        "internal-error",
    ),
)
IN_CONTENT = MetricLabel("in_content", ("false", "true"))
DRAIN_STATE = MetricLabel(
    "state",
    (
        "waiting-turn",
        "looking-up",
        "delivering",
        "settling",
        "waiting-to-retry",
        "stopping",
        "unclaimed",
    ),
)
NODE_STATE = MetricLabel("state", ("serving", "retiring", "silent"))
DELIVERY_END = MetricLabel(
    "end",
    (
        "quit",
        "unreachable",
        "tls-failed",
        "refused",
        "busy",
        "broken",
        "unreadable",
        "aborted",
        "no-route",
    ),
)
DOING = MetricLabel("doing", tuple(WorkWord))
REPORT_ACTION = MetricLabel("action", ("failed", "delayed", "relayed"))
TRANSPORT = MetricLabel("transport", ("webhook", "mail", "apprise"))
