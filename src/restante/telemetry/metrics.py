"""Define every metric, once: its name, kind, meaning and labels, and the source of its value.

Theory of operation. Everything worth counting is an event already, with the outcome as a field.
event_counts.py subscribes to all events and counts them by the table below. So the parts of the
server know nothing of metrics, and their tests need no library. Log and metrics cannot disagree. An
event costs a dictionary look-up and one or two additions; a metrics library takes a lock for each
and looks labels up.

Some work publishes no event, such as a session that only brought mail, or a batch that was held.
There the part keeps a plain number of its own. These numbers, and values that are a state rather
than a count, are read only when somebody asks (`State`).

A metric has few labels, and their values are words of this program: reply codes, reasons, states.
A label is never an account, a login, an address or another value chosen by a stranger. Such labels
would grow without end and reveal customers' data. The metrics of single domains are a table of
their own (domain_metrics.py), with a bounded number of domains.
"""

from typing import Final

from restante.telemetry.events import (
    EVENTS,
    AcceptsFailed,
    AuthenticationEnded,
    CertificateIssued,
    CertificateOrderFailed,
    CheckFailed,
    ConnectionsShed,
    DeliveryAttempt,
    DeliveryDeferred,
    DeliveryRefused,
    DeliveryUncertain,
    FilterAway,
    HttpConnectionsCut,
    HttpRequestsRefused,
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
    TurnaroundGranted,
)
from restante.telemetry.metric_labels import (
    AUTHENTICATION_RESULT,
    DEFERRAL_LIMIT,
    DELIVERY_END,
    DOING,
    DOOR_LIMIT,
    DRAIN_STATE,
    HTTP_CUT,
    HTTP_REFUSAL,
    HTTP_SERVICE,
    IN_CONTENT,
    MECHANISM,
    NODE_STATE,
    RELEASE_RESULT,
    REPORT_ACTION,
    SESSION_END,
    TRANSPORT,
    action_of,
    authentication_of,
    code_of,
    count_of,
    deferral_of,
    way_of,
)
from restante.telemetry.metric_types import Counted, Metric, MetricKind, MetricLabel, Read

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
        "restante_uncertain_messages",
        MetricKind.GAUGE,
        "Messages that their destination may have; absent where the store cannot say.",
        lambda state: state.uncertain_messages,
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
        "Age of the oldest held message; 0 if there is none, absent where the store cannot say.",
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
    Read(
        "restante_batch_seconds",
        MetricKind.COUNTER,
        "Seconds that the commits of these batches took. Divided by their number: the mean.",
        lambda state: state.batch_seconds,
    ),
    Counted(
        "restante_mail_refused",
        "Messages refused after their content had begun, by the code of the reply.",
        MailRefused,
        (MetricLabel("code", ("451", "452", "550", "552")),),
        code_of,
        amount=count_of,
    ),
    Counted(
        "restante_recipients_refused",
        "Recipients refused at RCPT, by the code of the reply.",
        RecipientRefused,
        (MetricLabel("code", ("450", "451", "452", "550", "552")),),
        code_of,
        amount=count_of,
    ),
    Counted(
        "restante_check_failures",
        "Examinations of mail by a check that failed; each counts once it is in the log.",
        CheckFailed,
        amount=lambda event: event.count,
    ),
    Counted(
        "restante_filter_outages",
        "Times that a content filter went away; mail was held unexamined until it was back.",
        FilterAway,
    ),
    Read(
        "restante_sessions_open",
        MetricKind.GAUGE,
        "Sessions open now, by the service of their listener; of `web` these are connections.",
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
        "SMTP sessions that ended, by the end, and by whether that was within content."
        " A limit of `[reception]` is such an end.",
        lambda state: state.sessions_ended,
        (SESSION_END, IN_CONTENT),
    ),
    Counted(
        "restante_connections_shed",
        "Connections answered 421 at once, by the limit exceeded. Updated once a second.",
        ConnectionsShed,
        (DOOR_LIMIT,),
        lambda event: (event.cause,),
        amount=lambda event: event.count,
    ),
    Counted(
        "restante_http_connections_cut",
        "HTTP connections closed without an answer, by service and cause.",
        HttpConnectionsCut,
        (HTTP_SERVICE, HTTP_CUT),
        lambda event: (event.service, event.cause),
        amount=lambda event: event.count,
    ),
    Read(
        "restante_web_requests",
        MetricKind.COUNTER,
        "Answered requests on the `web` listeners, by the template of their route and the class of"
        " their status; `(none)`: refused before any route.",
        lambda state: state.web_requests.ended,
        (MetricLabel("route"), MetricLabel("status")),
    ),
    Read(
        "restante_web_request_seconds",
        MetricKind.COUNTER,
        "Seconds that the answers to these requests took, by the template of their route.",
        lambda state: state.web_requests.seconds,
        (MetricLabel("route"),),
    ),
    Read(
        "restante_web_requests_running",
        MetricKind.GAUGE,
        "Requests on the `web` listeners that have no complete answer now.",
        lambda state: state.web_requests.running,
    ),
    Counted(
        "restante_web_requests_refused",
        "Requests refused on the `web` listeners before any action, by cause.",
        HttpRequestsRefused,
        (HTTP_REFUSAL,),
        lambda event: (event.cause,),
        amount=lambda event: event.count,
    ),
    Counted(
        "restante_accepts_failed",
        "Seconds in which no file descriptor was free for a new connection.",
        AcceptsFailed,
    ),
    Counted(
        "restante_authentications",
        "Completed AUTH exchanges, by mechanism and result.",
        AuthenticationEnded,
        (MECHANISM, AUTHENTICATION_RESULT),
        authentication_of,
    ),
    Counted(
        "restante_authentications_deferred",
        "AUTH answered 454 before the password was checked, by the limit or the absent store.",
        AuthenticationEnded,
        (DEFERRAL_LIMIT,),
        deferral_of,
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
        "Release requests by ETRN, ATRN, commands, the API and the portal, by result.",
        ReleaseRequested,
        (RELEASE_RESULT,),
        lambda event: (event.result,),
    ),
    Counted(
        "restante_turnarounds",
        "Turnarounds that were granted: mail leaves by ATRN, on the client's own connection.",
        TurnaroundGranted,
    ),
    # delivery
    Read(
        "restante_drains",
        MetricKind.GAUGE,
        "Drains in progress, by state.",
        lambda state: state.drains,
        (DRAIN_STATE,),
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
        "Recipients marked uncertain because the final reply was unreadable three times.",
        DeliveryUncertain,
    ),
    Counted(
        "restante_delivery_attempts",
        "Connections to destinations, by how they ended; `no-route`: none could be tried.",
        DeliveryAttempt,
        (DELIVERY_END,),
        lambda event: (event.end,),
    ),
    # reports to senders
    Counted(
        "restante_reports_made",
        "Reports stored, by action: failed, delayed or relayed.",
        ReportMade,
        (REPORT_ACTION,),
        action_of,
    ),
    Counted(
        "restante_reports_sent",
        "Reports that a mail server of the reverse-path's domain accepted.",
        ReportSent,
        (REPORT_ACTION,),
        action_of,
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
        (REPORT_ACTION,),
        action_of,
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
        "Notices sent to their channel, by its transport.",
        NoticeSent,
        (TRANSPORT,),
        way_of,
    ),
    Counted(
        "restante_notices_failed",
        "Failed attempts to send a notice that will be repeated.",
        NoticeDeferred,
        (TRANSPORT,),
        way_of,
    ),
    Counted(
        "restante_notices_given_up",
        "Notices dropped: permanently refused, or tried for too long.",
        NoticeGivenUp,
        (TRANSPORT,),
        way_of,
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
        "Failed store operations, by operation; `request` is a request to the API.",
        StoreFailed,
        (DOING,),
        lambda event: (event.doing,),
    ),
    Counted(
        "restante_messages_damaged",
        "Messages found damaged and marked so.",
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
        "restante_store_away",
        MetricKind.GAUGE,
        "1 while the store cannot be reached, MAIL is answered 451 and drains wait, else 0.",
        lambda state: state.is_store_away,
    ),
    Read(
        "restante_objects_away",
        MetricKind.GAUGE,
        "1 while the object store cannot be used and mail of 1 MiB or more is deferred, else 0.",
        lambda state: state.are_objects_away,
    ),
    Read(
        "restante_nodes",
        MetricKind.GAUGE,
        "Servers that share the store, by state; absent for a store of one server, and while the"
        " store cannot say.",
        lambda state: state.nodes,
        (NODE_STATE,),
    ),
    Read(
        "restante_mail_at_risk",
        MetricKind.GAUGE,
        "1 while commits wait for no standby and MAIL is answered 451 (see `rpo`), else 0.",
        lambda state: state.is_mail_at_risk,
    ),
    Read(
        "restante_clock_offset_seconds",
        MetricKind.GAUGE,
        "Seconds by which this machine's clock is ahead of the database's; absent on SQLite.",
        lambda state: state.clock_offset,
    ),
    Read(
        "restante_disk_free_octets",
        MetricKind.GAUGE,
        "Octets that are free on the disk of the store; absent where the store has no limit.",
        lambda state: state.disk_free,
    ),
    Read(
        "restante_disk_reserve_octets",
        MetricKind.GAUGE,
        "Free octets below which MAIL is answered 452: `reception.disk_reserve`.",
        lambda state: state.disk_reserve,
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
    Counted(
        "restante_certificates_issued",
        "Certificates that an authority issued by ACME.",
        CertificateIssued,
    ),
    Counted(
        "restante_certificate_orders_failed",
        "Orders of certificates by ACME that failed.",
        CertificateOrderFailed,
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
    Read(
        "restante_trace_spans_dropped",
        MetricKind.COUNTER,
        "Spans of traces that were dropped: the queue was full, or the collector failed.",
        lambda state: state.trace_spans_dropped,
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
