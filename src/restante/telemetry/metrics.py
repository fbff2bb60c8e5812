"""Define every metric, once: its name, kind, meaning and labels, and the source of its value.

Theory of operation. Whatever is worth counting is an event already, with the outcome as a field.
counts.py subscribes to all events and counts them by the table below. So the parts of the server
know nothing of metrics, and their tests need no library. Log and metrics cannot disagree. An event
costs a dictionary look-up and one or two additions; a metrics library takes a lock for each and
looks labels up.

Some work publishes no event, such as a session that only brought mail, or a batch that was held. There
the part keeps a plain number of its own. These numbers, and values that are a state rather than a
count, are read only when somebody asks (`State`).

A metric has few labels, and their values are words of this program: reply codes, reasons, states.
A label is never a domain, an account, a login, an address or another value chosen by a stranger or
a customer. Such labels would grow without end and reveal customers' data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from restante.telemetry.events import (
    EVENTS,
    AcceptsFailed,
    AuthenticationEnded,
    ConnectionsShed,
    DeliveryAttempt,
    DeliveryDeferred,
    DeliveryRefused,
    DeliveryUncertain,
    Event,
    HttpConnectionsCut,
    LoopStalled,
    MailHeld,
    MailRefused,
    MessageDamaged,
    MessageDelivered,
    NoticeDeferred,
    NoticeGivenUp,
    NoticesDropped,
    NoticeSent,
    RecipientRefused,
    ReleaseRequested,
    ReportDeferred,
    ReportDropped,
    ReportMade,
    ReportSent,
    ServerFailing,
    StoreFailed,
    SuccessReportsDropped,
)
from restante.telemetry.process import ProcessFacts

E = TypeVar("E", bound=Event)
LabelValues = tuple[str, ...]  # in the order of a metric's labels


class MetricKind(StrEnum):
    """The kinds of metric, in the words of OpenMetrics."""

    COUNTER = "counter"  # only grows, from 0 at the start; its published name ends in _total
    GAUGE = "gauge"  # goes up and down
    INFO = "info"  # always 1, with the facts as labels; its published name ends in _info


@dataclass(frozen=True, slots=True)
class State:
    """The state of the server at one moment. Times are Unix time, ages are seconds."""

    held_messages: int
    refused_messages: int
    stored_octets: int
    domains_with_mail: int
    oldest_message_age: float | None  # None: the store cannot say
    sessions_open: Mapping[str, int]  # by service
    sessions_unauthenticated: int
    sessions_ended: Mapping[str, int]  # by reason
    octets_in_flight: int
    batches_held: int
    drains: Mapping[str, int]  # by state
    delivery_connections: int
    is_room_short: bool
    damaged_messages: int | None  # None: the store cannot say
    scrubbed_at: float  # 0: none since the start
    reports_waiting: int | None  # None: the store cannot say
    notices_waiting: int | None
    certificate_expires_at: float
    started_at: float
    version: str
    process: ProcessFacts
    loop_lag: float  # the longest of the last one to two minutes


@dataclass(frozen=True, slots=True)
class Exposition:
    """All metrics as text: the body of a response, and its content type."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class MetricLabel:
    """A label, and the values that exist from the start.

    A series that starts at 0 shows its first event as an increase.
    """

    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted(Generic[E]):
    """A counter of events, or of a number that they have."""

    name: str
    meaning: str
    event: type[E] | None  # None: every event, by its name
    labels: tuple[MetricLabel, ...] = ()
    # Returns the labels' values, or None for an event that does not count.
    values: Callable[[E], LabelValues | None] | None = None
    amount: Callable[[E], int] | None = None  # what is added up; None: events are counted

    @property
    def kind(self) -> MetricKind:
        """Return COUNTER: events are never taken back."""
        return MetricKind.COUNTER


@dataclass(frozen=True, slots=True)
class Read:
    """A metric whose value is read from the state."""

    name: str
    kind: MetricKind
    meaning: str
    # A metric with a label returns a mapping by the label's value.
    value: Callable[[State], float | Mapping[str, int] | None]
    labels: tuple[MetricLabel, ...] = ()


Metric = Counted[Any] | Read


def _code(event: MailRefused | RecipientRefused | ReleaseRequested) -> LabelValues:
    return (event.answer[:3],)


def _count(event: MailRefused | RecipientRefused) -> int:
    return 1 if event.count is None else event.count


def _authentication(event: AuthenticationEnded) -> LabelValues:
    return event.mechanism, event.answer.partition(":")[0]


def _deferred(event: AuthenticationEnded) -> LabelValues | None:
    outcome, _, limit = event.answer.partition(": ")
    return (limit,) if outcome == "deferred" else None


def _action(event: ReportMade | ReportSent | ReportDropped) -> LabelValues:
    return (event.action,)


def _way(event: NoticeSent | NoticeDeferred | NoticeGivenUp) -> LabelValues:
    return (event.way,)


_MECHANISM = MetricLabel("mechanism", ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"))
_OUTCOME = MetricLabel("outcome", ("accepted", "refused", "deferred"))
_DEFERRAL_LIMIT = MetricLabel(
    "limit", ("too many attempts in a minute", "too many failures", "too many at once")
)
_DOOR_LIMIT = MetricLabel(
    "limit",
    (
        "too many sessions",
        "too many sessions from one address block",
        "too many unauthenticated sessions",
        "too many connections in a minute from one address block",
    ),
)
_HTTP_SERVICE = MetricLabel("service", ("control", "metrics"))
_HTTP_CUT = MetricLabel(
    "reason", ("too many connections", "no request in time", "answer not taken in time")
)
_SESSION_END = MetricLabel(
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
        "TLS failed",
        "TLS failed in mid-content",
        "server stopping",
        "server stopping in mid-content",
        "internal error",
    ),
)
_DRAIN_STATE = MetricLabel(
    "state",
    (
        "waiting its turn",
        "looking up the destination",
        "delivering",
        "settling",
        "waiting to retry",
        "stopping",
    ),
)
_DELIVERY_END = MetricLabel(
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
_DOING = MetricLabel(
    "doing",
    (
        "hold",
        "spool",
        "audit",
        "settle",
        "start drain",
        "close drain",
        "learn",
        "retention",
        "scrub",
        "report",
        "notice",
        "request",
        "listing",
    ),
)
_REPORT_ACTION = MetricLabel("action", ("failed", "delayed", "relayed"))
_WAY = MetricLabel("way", ("webhook", "mail", "apprise"))

METRICS: Final[tuple[Metric, ...]] = (
    # held mail
    Read(
        "restante_held_messages",
        MetricKind.GAUGE,
        "Messages that a release would hand over.",
        lambda state: state.held_messages,
    ),
    Read(
        "restante_refused_messages",
        MetricKind.GAUGE,
        "Messages that their destination refused. No release moves them.",
        lambda state: state.refused_messages,
    ),
    Read(
        "restante_stored_octets",
        MetricKind.GAUGE,
        "Octets of all held and refused messages.",
        lambda state: state.stored_octets,
    ),
    Read(
        "restante_domains_with_mail",
        MetricKind.GAUGE,
        "Hosted domains with at least one message in the store.",
        lambda state: state.domains_with_mail,
    ),
    Read(
        "restante_oldest_message_age_seconds",
        MetricKind.GAUGE,
        "Age of the oldest message; 0 if there is none, absent where the store cannot say.",
        lambda state: state.oldest_message_age,
    ),
    # reception
    Counted("restante_messages_held", "Messages durably held and answered with 250.", MailHeld),
    Counted(
        "restante_octets_held",
        "Octets of content of these messages.",
        MailHeld,
        amount=lambda event: event.octets,
    ),
    Read(
        "restante_batches_held",
        MetricKind.COUNTER,
        "Batches in which messages were committed. More messages per batch mean a busier disk.",
        lambda state: state.batches_held,
    ),
    Counted(
        "restante_mail_refused",
        "Messages refused after their content had begun, by the code of the reply.",
        MailRefused,
        (MetricLabel("code", ("451", "452", "550")),),
        _code,
        amount=_count,
    ),
    Counted(
        "restante_recipients_refused",
        "Recipients refused at RCPT, by the code of the reply.",
        RecipientRefused,
        (MetricLabel("code", ("451", "550", "553")),),
        _code,
        amount=_count,
    ),
    Read(
        "restante_sessions_open",
        MetricKind.GAUGE,
        "SMTP sessions open now, by the service of their listener.",
        lambda state: state.sessions_open,
        (MetricLabel("service"),),
    ),
    Read(
        "restante_sessions_unauthenticated",
        MetricKind.GAUGE,
        "Open SMTP sessions without authentication (see `reception.unauthenticated_limit`).",
        lambda state: state.sessions_unauthenticated,
    ),
    Read(
        "restante_sessions_ended",
        MetricKind.COUNTER,
        "SMTP sessions that ended, by reason. A limit of `[reception]` is such a reason.",
        lambda state: state.sessions_ended,
        (_SESSION_END,),
    ),
    Counted(
        "restante_connections_shed",
        "Connections answered 421 at once, by the limit exceeded. Updated once a second.",
        ConnectionsShed,
        (_DOOR_LIMIT,),
        lambda event: (event.reason,),
        amount=lambda event: event.count,
    ),
    Counted(
        "restante_http_connections_cut",
        "HTTP connections closed without an answer, by service and reason.",
        HttpConnectionsCut,
        (_HTTP_SERVICE, _HTTP_CUT),
        lambda event: (event.service, event.reason),
        amount=lambda event: event.count,
    ),
    Counted(
        "restante_accepts_failed",
        "Seconds in which no file descriptor was free for a new connection.",
        AcceptsFailed,
    ),
    Counted(
        "restante_authentications",
        "Completed AUTH exchanges, by mechanism and outcome.",
        AuthenticationEnded,
        (_MECHANISM, _OUTCOME),
        _authentication,
    ),
    Counted(
        "restante_authentications_deferred",
        "AUTH answered 454 before the password was checked, by the limit exceeded.",
        AuthenticationEnded,
        (_DEFERRAL_LIMIT,),
        _deferred,
    ),
    Read(
        "restante_octets_in_flight",
        MetricKind.GAUGE,
        "Octets of incoming content in memory (see `reception.octets_in_flight_limit`).",
        lambda state: state.octets_in_flight,
    ),
    # release
    Counted(
        "restante_release_requests",
        "Release requests by ETRN or by the operator, by the code of the reply.",
        ReleaseRequested,
        (MetricLabel("code", ("250", "251", "253", "458", "459", "500", "501", "530")),),
        _code,
    ),
    # delivery
    Read(
        "restante_drains",
        MetricKind.GAUGE,
        "Drains in progress, by state.",
        lambda state: state.drains,
        (_DRAIN_STATE,),
    ),
    Read(
        "restante_delivery_connections_open",
        MetricKind.GAUGE,
        "Connections to destinations that are ready for mail.",
        lambda state: state.delivery_connections,
    ),
    Counted(
        "restante_messages_delivered",
        "Messages that a destination accepted, for some or all of their recipients.",
        MessageDelivered,
    ),
    Counted(
        "restante_recipients_deferred",
        "Recipients that a destination deferred. Their messages stay held.",
        DeliveryDeferred,
    ),
    Counted(
        "restante_recipients_refused_by_destination",
        "Recipients that a destination refused with 5xx.",
        DeliveryRefused,
    ),
    Counted(
        "restante_recipients_uncertain",
        "Recipients marked refused because the final reply was unreadable three times.",
        DeliveryUncertain,
    ),
    Counted(
        "restante_delivery_attempts",
        "Connections to destinations, by how they ended; `no route`: none could be tried.",
        DeliveryAttempt,
        (_DELIVERY_END,),
        lambda event: (event.end or "no route",),
    ),
    # reports to senders
    Counted(
        "restante_reports_made",
        "Reports stored, by action: failed, delayed or relayed.",
        ReportMade,
        (_REPORT_ACTION,),
        _action,
    ),
    Counted(
        "restante_reports_sent",
        "Reports that a mail server of the reverse-path's domain accepted.",
        ReportSent,
        (_REPORT_ACTION,),
        _action,
    ),
    Counted(
        "restante_reports_deferred",
        "Failed attempts to send a report that will be repeated.",
        ReportDeferred,
    ),
    Counted(
        "restante_reports_dropped",
        "Reports dropped: refused, without a server to send to, or tried for too long.",
        ReportDropped,
        (_REPORT_ACTION,),
        _action,
    ),
    Counted(
        "restante_success_reports_dropped",
        "Success reports dropped because more than `reports.successes_limit` waited.",
        SuccessReportsDropped,
        amount=lambda event: event.count,
    ),
    Read(
        "restante_reports_waiting",
        MetricKind.GAUGE,
        "Reports waiting to be sent; absent where the store cannot say.",
        lambda state: state.reports_waiting,
    ),
    # notices
    Counted(
        "restante_notices_sent",
        "Notices sent to their channel, by its way.",
        NoticeSent,
        (_WAY,),
        _way,
    ),
    Counted(
        "restante_notices_failed",
        "Failed attempts to send a notice that will be repeated.",
        NoticeDeferred,
        (_WAY,),
        _way,
    ),
    Counted(
        "restante_notices_given_up",
        "Notices dropped: permanently refused, or tried for too long.",
        NoticeGivenUp,
        (_WAY,),
        _way,
    ),
    Counted(
        "restante_notices_dropped",
        "Notices dropped because there were too many.",
        NoticesDropped,
        amount=lambda event: event.count,
    ),
    Read(
        "restante_notices_waiting",
        MetricKind.GAUGE,
        "Notices waiting to be sent; absent where the store cannot say.",
        lambda state: state.notices_waiting,
    ),
    # the store
    Counted(
        "restante_store_failures",
        "Failed store operations, by operation; `request` is a command of the operator.",
        StoreFailed,
        (_DOING,),
        lambda event: (event.doing or "request",),
    ),
    Counted(
        "restante_messages_damaged",
        "Messages found damaged and marked refused.",
        MessageDamaged,
    ),
    Read(
        "restante_damaged_messages",
        MetricKind.GAUGE,
        "Damaged messages in the store; absent where the store cannot say.",
        lambda state: state.damaged_messages,
    ),
    Counted(
        "restante_server_failures",
        "Times that a failed sync, a failed read or a damaged database stopped the server.",
        ServerFailing,
    ),
    Read(
        "restante_last_scrub_timestamp_seconds",
        MetricKind.GAUGE,
        "Unix time at which the last check of the whole store ended; 0: none since the start.",
        lambda state: state.scrubbed_at,
    ),
    Read(
        "restante_room_short",
        MetricKind.GAUGE,
        "1 while less than `reception.disk_reserve` is free and MAIL is answered 452, else 0.",
        lambda state: state.is_room_short,
    ),
    # the server
    Read(
        "restante_certificate_expiry_timestamp_seconds",
        MetricKind.GAUGE,
        "Unix time at which the first of the certificates in use expires.",
        lambda state: state.certificate_expires_at,
    ),
    Read(
        "restante_loop_lag_seconds",
        MetricKind.GAUGE,
        "Longest delay of the event loop in the last one to two minutes.",
        lambda state: state.loop_lag,
    ),
    Counted(
        "restante_loop_stalls",
        "Turns of the event loop that took more than a quarter of a second.",
        LoopStalled,
    ),
    Counted(
        "restante_log_lines",
        "Lines of the log, by event.",
        None,
        (MetricLabel("event", tuple(each.event for each in EVENTS)),),
    ),
    Read(
        "restante",
        MetricKind.INFO,
        "The version that is running.",
        lambda state: {state.version: 1},
        (MetricLabel("version"),),
    ),
    # the process, under the names that Prometheus has for every program
    Read(
        "process_start_time_seconds",
        MetricKind.GAUGE,
        "Unix time at which the server started.",
        lambda state: state.started_at,
    ),
    Read(
        "process_cpu_seconds",
        MetricKind.COUNTER,
        "Seconds of processor time used.",
        lambda state: state.process.cpu_seconds,
    ),
    Read(
        "process_resident_memory_bytes",
        MetricKind.GAUGE,
        "Octets of memory in use.",
        lambda state: state.process.resident_octets,
    ),
    Read(
        "process_open_fds",
        MetricKind.GAUGE,
        "Files and sockets open now.",
        lambda state: state.process.open_files,
    ),
    Read(
        "process_max_fds",
        MetricKind.GAUGE,
        "Limit of open files and sockets.",
        lambda state: state.process.open_files_limit,
    ),
)
