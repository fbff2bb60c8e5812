"""The meaning of each field of the events, with an example. A name has one meaning in all."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final, TypeVar

from restante.phrases import NOT_HOSTED
from restante.telemetry.authentication_result import AuthenticationResult
from restante.telemetry.events import (
    AttemptEnded,
    AuthenticationBurst,
    AuthenticationEnded,
    CertificateOrderFailed,
    ChangeEnded,
    ChangeScheduled,
    ConnectionsShed,
    DeliveryAttempt,
    DeliveryDeferred,
    DeliveryRefused,
    DeliveryUncertain,
    DestinationRefuses,
    DrillFailed,
    Event,
    FilterAway,
    FilterBack,
    HttpConnectionsCut,
    InternalError,
    MailRefused,
    MessageDamaged,
    NoticeDeferred,
    NoticeGivenUp,
    NoticeSent,
    ObjectsAway,
    PrimaryAway,
    ProgramUpgraded,
    RecipientRefused,
    RecordChanged,
    ReleaseRequested,
    ReloadFailed,
    ReportDeferred,
    ReportDropped,
    ReportSent,
    ServerFailing,
    SessionClosed,
    SignInRefused,
    StoreAway,
    StoreFailed,
    TokenRefused,
    WorkerEnded,
)
from restante.telemetry.work_word import WorkWord

_E = TypeVar("_E", bound=Event)


@dataclass(frozen=True, slots=True)
class FieldMeaning:
    """A field of events: its meaning with the unit, and a value as an example."""

    meaning: str
    example: Any


FIELDS: Final[Mapping[str, FieldMeaning]] = {
    "account": FieldMeaning("The account concerned; empty for none, or for the operator.", "acme"),
    "action": FieldMeaning("The change made, or the kind of a report.", "failed"),
    "actor": FieldMeaning(
        "The requester: a login, an operator, a token, a policy, …", "login acme-mail"
    ),
    "address": FieldMeaning("The address and port of a connection.", "192.0.2.25:25"),
    "answer": FieldMeaning("The reply or the decision.", f"550 5.7.1 The domain {NOT_HOSTED}"),
    "at_end": FieldMeaning("The action of the policy: `delete`, `bounce` or `keep`.", "bounce"),
    "block": FieldMeaning("A network: a /24 of IPv4, or a /48 of IPv6.", "203.0.113.0/24"),
    "bounced": FieldMeaning("True if the sender gets a report at once.", True),
    "changes": FieldMeaning("The changed fields: before and after.", ("note:  → moved",)),
    "cause": FieldMeaning(
        "The limit or fault that was the cause, in one word.", "too-many-requests"
    ),
    "channel": FieldMeaning("The name of a channel of notices.", "helpdesk"),
    "check": FieldMeaning("The name of a check of mail.", "suspicion"),
    "code": FieldMeaning("The code of the reply in `answer`.", 550),
    "config": FieldMeaning("The path of the configuration file.", "/etc/restante/restante.toml"),
    "control": FieldMeaning("The path of the control socket.", "/run/restante/control.sock"),
    "count": FieldMeaning("How many times, if the event stands for several.", 12),
    "damaged": FieldMeaning("Number of damaged messages.", 0),
    "age_days": FieldMeaning("Age in days.", 92),
    "days": FieldMeaning("Days until it ends.", 7),
    "deferred": FieldMeaning("Number of messages that the destination did not take now.", 0),
    "delivered": FieldMeaning("Number of messages that the destination took.", 40),
    "destination": FieldMeaning(
        "The destination on record: host and port.", "mail.acme.example:25"
    ),
    "disk_reserve": FieldMeaning(
        "The reserve of `reception.disk_reserve`, in octets.", 1_000_000_000
    ),
    "doing": FieldMeaning("The work that failed or cannot begin, in one word.", WorkWord.HOLD),
    "domain": FieldMeaning("The domain concerned.", "acme.example"),
    "domain_id": FieldMeaning("The number of the domain in the store.", 3),
    "domains": FieldMeaning(
        "The domains concerned; of a destination at most twenty.", ("acme.example",)
    ),
    "domains_total": FieldMeaning("Number of domains concerned.", 1),
    "deferred_by": FieldMeaning(
        "The limit that deferred it, or `store-away`; absent if none did.", "at-once"
    ),
    "end": FieldMeaning("How it ended, in one word.", "finished"),
    "begins": FieldMeaning("The time of the beginning, in UTC.", "2027-03-01T12:00:00Z"),
    "ends": FieldMeaning("The time of the end, in UTC.", "2027-03-01T12:00:00Z"),
    "entries": FieldMeaning("Number of entries of the history.", 4000),
    "error": FieldMeaning(
        "The cause in words; for `internal-error` after the name of its class.",
        OSError("disk full"),
    ),
    "errors": FieldMeaning("Number of wrong commands.", 0),
    "failures": FieldMeaning("Number of failed attempts so far.", 1),
    "files": FieldMeaning("Number of files.", 3),
    "forward_path": FieldMeaning("The address of a recipient.", "anna@acme.example"),
    "forward_paths": FieldMeaning(
        "The addresses of the first recipients; at most ten.", ("anna@acme.example",)
    ),
    "free_octets": FieldMeaning("Free octets on the store's disk.", 900_000_000),
    "held": FieldMeaning("Number of messages that are still held for the domain.", 2),
    "hello": FieldMeaning("The name that the client gave.", "mail.example.org"),
    "hostname": FieldMeaning("The name of this server.", "mx2.example.net"),
    "hosts": FieldMeaning(
        "The hosts that the certificate is for; at most ten.", ("mx2.example.net",)
    ),
    "in_content": FieldMeaning("True if it ended within the content of a message.", False),
    "kind": FieldMeaning("The kind of a notice.", "drain-finished"),
    "limit": FieldMeaning("The limit that was exceeded.", 1000),
    "listening": FieldMeaning("The open listeners, each with its service.", ("mx 192.0.2.2:25",)),
    "login": FieldMeaning("The login, if there is one of that name.", "acme-mail"),
    "manner": FieldMeaning("How far the connection sent ahead, in one word.", "ahead"),
    "mechanism": FieldMeaning("The SASL mechanism.", "SCRAM-SHA-256"),
    "message": FieldMeaning("The name of a message, as in the 250 reply.", "0000000000a7k"),
    "message_id": FieldMeaning(
        "The Message-ID of a message; empty for none. Strangers write it.",
        "<20261128@mail.example.org>",
    ),
    "messages": FieldMeaning("Number of messages.", 2),
    "metrics": FieldMeaning("The addresses of the metrics; empty for none.", ("127.0.0.1:9325",)),
    "minutes": FieldMeaning("The span of time, in minutes.", 10),
    "notes": FieldMeaning(
        "The findings of checks, with the name and score of each.",
        ("suspicion: the client uses our name",),
    ),
    "notice": FieldMeaning("The key of a notice, the same at each attempt.", "5f1c9a20"),
    "octets": FieldMeaning("Size in octets.", 4096),
    "of_event": FieldMeaning("The name of an event.", "store-failed"),
    "oldest_at": FieldMeaning("Time of the oldest entry left, as Unix time.", 1_790_000_000.0),
    "number": FieldMeaning("The number of a change that waits; 0 if it did not wait.", 7),
    "acted_from": FieldMeaning(
        "The address that the actor's request came from, or a place such as `control socket`.",
        "192.0.2.25",
    ),
    "outstanding": FieldMeaning("Number of messages without a reply when it ended.", 0),
    "passes": FieldMeaning("How often the message has passed this server before.", 4),
    "peer": FieldMeaning("The address of the client.", "192.0.2.7"),
    "percent": FieldMeaning("The part of the quota that is used, in percent.", 80),
    "place": FieldMeaning("The place of the log, as in `[log]`.", "/var/log/restante/restante.log"),
    "portal_user": FieldMeaning(
        "The email address that was typed, of a portal user or not.",
        "ana@acme.example",
    ),
    "proven_again": FieldMeaning("Whether drills failed before, or the proof was old.", True),
    "reason": FieldMeaning("The reason, in words; empty for none.", ""),
    "recipients": FieldMeaning("Number of recipients.", 1),
    "refused": FieldMeaning("Number of messages that the destination refused.", 0),
    "release": FieldMeaning("The id of the release.", "1k2x9q4hz0a"),
    "releases": FieldMeaning("Number of ETRN commands.", 0),
    "reply": FieldMeaning("The reply of the other side.", "250 2.0.0 queued as 4711"),
    "request": FieldMeaning("The request to the API.", "GET /v1/queue"),
    "requested_by": FieldMeaning("The client or rule that asked for the drain.", "login acme-mail"),
    "restart_after": FieldMeaning("Seconds until it is started again; missing: it is not.", 0.1),
    "restart_for": FieldMeaning("The settings that need a restart.", ("hostname",)),
    "retry_seconds": FieldMeaning("Seconds until the next try.", 3600.0),
    "reverse_path": FieldMeaning("The sender of the envelope.", "<bob@example.org>"),
    "seconds": FieldMeaning("Duration in seconds.", 1.25),
    "service": FieldMeaning("The service: `control`, `metrics`, `web` or `acme`.", "web"),
    "sessions": FieldMeaning("Number of SMTP sessions open now.", 17),
    "sessions_limit": FieldMeaning("Number of SMTP sessions possible.", 1000),
    "status": FieldMeaning("The status of the mail.", "held"),
    "subject": FieldMeaning("The record or messages concerned.", "acme.example"),
    "target": FieldMeaning("The argument of the request.", "acme.example"),
    "tls": FieldMeaning(
        "The TLS version and cipher; empty for none.", "TLSv1.3 TLS_AES_256_GCM_SHA384"
    ),
    "result": FieldMeaning("The result, in one word.", "granted"),
    "tls_version": FieldMeaning("The TLS version; empty for none.", "TLSv1.3"),
    "token": FieldMeaning("The id of the token; empty if none can be read.", "k3v9x0q2ma"),
    "token_name": FieldMeaning("The name of the token; empty for an unknown one.", "ci"),
    "tried": FieldMeaning("Number of addresses tried.", 1),
    "uncertain": FieldMeaning("Number of messages that became uncertain.", 0),
    "unsettled": FieldMeaning("Number of outcomes that could not be recorded.", 2),
    "transport": FieldMeaning("The type of a channel.", "webhook"),
    "worker": FieldMeaning("The number of one of several workers, from 1.", 2),
}

_RESET: Final = "connection reset"
_LATER: Final = "450 4.2.1 mailbox busy"
_NEVER: Final = "550 5.1.1 no such mailbox"
_CHANGE: Final[Mapping[str, Any]] = {
    "actor": "token ci (acme)",
    "changes": ("destination.host: mail.acme.example → mail2.acme.example",),
}
_EXAMPLES: Final[Mapping[type[Event], Mapping[str, Any]]] = {
    AuthenticationBurst: {"failures": 30},
    AttemptEnded: {"end": "unreachable", "reason": "connection refused"},
    AuthenticationEnded: {"result": AuthenticationResult.ACCEPTED, "deferred_by": None},
    ChangeEnded: {"end": "applied", **_CHANGE},
    ChangeScheduled: _CHANGE,
    ConnectionsShed: {"cause": "sessions-per-block"},
    DeliveryAttempt: {"end": "unreachable", "reason": "connection refused"},
    DeliveryDeferred: {"reply": _LATER},
    DeliveryRefused: {"reply": _NEVER, "bounced": True},
    DeliveryUncertain: {"reply": _RESET},
    DestinationRefuses: {"refused": 20, "reason": "20 messages were refused in a row"},
    DrillFailed: {"reason": "handed over: the destination said: 550 5.7.1 not from you"},
    FilterAway: {"check": "rspamd", "reason": "Connection refused"},
    FilterBack: {"check": "rspamd", "seconds": 61.5},
    HttpConnectionsCut: {"cause": "no-request"},
    InternalError: {"doing": WorkWord.HOLD, "messages": 2, "error": RuntimeError("no state")},
    MailRefused: {
        "code": 452,
        "answer": "452 4.2.2 No room for mail to this domain now, try again later",
        "reason": "the quota of acme.example is reached",
    },
    MessageDamaged: {"reason": "its content differs from its checksum"},
    NoticeDeferred: {"reply": "503 Service Unavailable"},
    NoticeGivenUp: {"reply": "410 Gone"},
    NoticeSent: {"reply": "204 No Content", "failures": 0},
    PrimaryAway: {"reason": "connection refused"},
    RecipientRefused: {"reason": "not a hosted domain", "forward_path": "<anna@b.example>"},
    RecordChanged: {"action": "account-changed", "actor": "operator", "subject": "acme"},
    ReleaseRequested: {
        "answer": "253 2.0.0 OK, 2 pending messages for node acme.example started",
        "result": "granted",
    },
    ReportDeferred: {"domain": "example.org", "reply": "451 4.3.0 try again later"},
    ProgramUpgraded: {
        "doing": WorkWord.BEGIN_KEEPERS,
        "reason": "the program was upgraded since this server started; restart the server",
    },
    ReportDropped: {"domain": "example.org", "reply": "550 5.1.1 no such mailbox"},
    ReportSent: {"domain": "example.org", "failures": 0},
    ReloadFailed: {"error": ValueError("hostname: not a host name")},
    StoreAway: {"reason": "connection refused"},
    ObjectsAway: {"reason": "s3://mail/restante: no answer in time"},
    ServerFailing: {"reason": "a sync failed"},
    SessionClosed: {"end": "timed-out", "reason": "most sessions are taken"},
    StoreFailed: {"doing": WorkWord.HOLD, "messages": 2},
    SignInRefused: {"reason": "wrong password"},
    TokenRefused: {"cause": "expired"},
    CertificateOrderFailed: {"reason": "the order is invalid"},
    WorkerEnded: {"reason": "signal 9", "restart_after": 0.1},
}


def example(kind: type[_E], **given: Any) -> _E:
    """Return an event with the given fields, and the example of each other required field."""
    required = {
        each.name: FIELDS[each.name].example for each in fields(kind) if each.default is MISSING
    }
    return kind(**{**required, **_EXAMPLES.get(kind, {}), **given})
