"""Events of sessions and requests: mail taken and refused, AUTH, ETRN."""

from dataclasses import dataclass
from typing import ClassVar

from restante.telemetry.authentication_result import AuthenticationLimit, AuthenticationResult
from restante.telemetry.events.event import Event, FailureEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed(Event):
    """An SMTP session ended. The fields count its work."""

    event: ClassVar[str] = "session-closed"
    peer: str
    hello: str
    tls: str
    login: str
    messages: int
    releases: int
    errors: int
    end: str
    in_content: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionsShed(Event):
    """Connections of the last second that were answered 421, and the limit they exceeded."""

    event: ClassVar[str] = "connections-shed"
    count: int
    cause: str
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpConnectionsCut(Event):
    """HTTP connections of the last second that were closed without an answer.

    `service` is the control socket, the metrics port or the `web` listeners. The cause is too many
    connections, no request within ten seconds, an answer that the client did not read, or TLS
    without success.
    """

    event: ClassVar[str] = "http-connections-cut"
    service: str
    count: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequestsRefused(Event):
    """Requests of the last second on the `web` listeners that were refused before any action.

    They had no credentials, bypassed the proxies, were too many at once or from strangers, or were
    malformed, too large or too slow (`cause`). `peer` is the
    last client of this cause.
    """

    event: ClassVar[str] = "http-requests-refused"
    count: int
    cause: str
    peer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptsFailed(Event):
    """No file descriptor was free.

    New connections were closed at once or had to wait. At most one line a second. Raise
    `LimitNOFILE` or lower `reception.connections_limit`.
    """

    event: ClassVar[str] = "accepts-failed"
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHeld(Event):
    """A message is durably held. This server is now responsible for it."""

    event: ClassVar[str] = "mail-held"
    message: str
    message_id: str
    peer: str
    hello: str
    tls: str
    reverse_path: str
    recipients: int
    forward_paths: tuple[str, ...]
    domains: tuple[str, ...]
    octets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRefused(Event):
    """A transaction ended after its content had begun, and no mail was held.

    A session logs ten such lines. The rest are counted by reply and logged at its end, with
    `count`.
    """

    event: ClassVar[str] = "mail-refused"
    peer: str
    code: int
    answer: str
    reason: str
    count: int | None = None
    message: str | None = None
    hello: str | None = None
    tls: str | None = None
    reverse_path: str | None = None
    recipients: int | None = None
    domains: tuple[str, ...] | None = None
    octets: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientRefused(Event):
    """RCPT was answered with 4xx or 5xx.

    A session logs ten such lines. The rest are counted by reply and logged at its end, with
    `count`.
    """

    event: ClassVar[str] = "recipient-refused"
    peer: str
    code: int
    answer: str
    reason: str
    count: int | None = None
    reverse_path: str | None = None
    forward_path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailChecked(Event):
    """Checks noted something about a held message. This line follows `mail-held` at once."""

    event: ClassVar[str] = "mail-checked"
    message: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFailed(FailureEvent):
    """A check could not examine mail.

    The mail was accepted unexamined, or deferred with 451: each check decides this. At most one
    line a minute for each check; `count` is the number of failures since the last.
    """

    event: ClassVar[str] = "check-failed"
    check: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterAway(Event):
    """A content filter failed three times in a row. Mail is held unexamined until it answers."""

    event: ClassVar[str] = "filter-away"
    check: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterBack(Event):
    """A content filter that was away answers again."""

    event: ClassVar[str] = "filter-back"
    check: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAfterQuiet(Event):
    """Mail arrived for a domain that had none for an hour. Its primary may be down."""

    event: ClassVar[str] = "mail-after-quiet"
    domain: str
    account: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLoops(Event):
    """A message came back more often than `reception.passes_limit` allows, and was deferred.

    The client is often the destination of the domain, which does not keep its mail.
    """

    event: ClassVar[str] = "mail-loops"
    domain: str
    account: str
    peer: str
    passes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaReached(Event):
    """A domain or an account reached 80 or 100 % of its quota; without `domain`, the account did.

    At 100 %, RCPT is answered 452.
    """

    event: ClassVar[str] = "quota-reached"
    account: str
    percent: int
    messages: int
    octets: int
    domain: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationEnded(Event):
    """AUTH ended, with success or failure."""

    event: ClassVar[str] = "authentication"
    peer: str
    login: str
    mechanism: str
    result: AuthenticationResult
    deferred_by: AuthenticationLimit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationBurst(Event):
    """In ten minutes, ten attempts failed for a login, or thirty for all logins of an account.

    Without `login`, they were for all logins.
    """

    event: ClassVar[str] = "authentication-burst"
    account: str
    failures: int
    minutes: int
    peer: str
    login: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginExpiring(Event):
    """A login expires in 14, 7, 3 or 1 days, or has expired.

    Each step is logged once.
    """

    event: ClassVar[str] = "login-expiring"
    login: str
    account: str
    days: int
    ends: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRequested(Event):
    """Somebody requested a domain's mail: by ETRN, a command, the API or the portal.

    The fields have the reply and the true reason.
    """

    event: ClassVar[str] = "release-requested"
    actor: str
    acted_from: str
    target: str
    account: str
    result: str
    answer: str
    reason: str
    release: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnaroundGranted(Event):
    """A client takes its mail over its own connection, by ATRN."""

    event: ClassVar[str] = "turnaround-granted"
    account: str
    login: str
    peer: str
    messages: int
    release: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnaroundFromNewPlace(Event):
    """A login took mail by ATRN from an address block where it never did before.

    The block is a /24 of IPv4, or a /48 of IPv6.
    """

    event: ClassVar[str] = "turnaround-from-new-place"
    account: str
    login: str
    peer: str
    block: str
