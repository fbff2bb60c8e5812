"""Events of the server's own life: start, stop, reload, defects."""

from dataclasses import dataclass
from typing import ClassVar

from restante.telemetry.events.event import Event, FailureEvent, WarningEvent
from restante.telemetry.work_word import DefectPlace, WorkWord


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStarting(Event):
    """The process has read its configuration and is starting."""

    event: ClassVar[str] = "server-starting"
    config: str
    hostname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReady(Event):
    """Every listener is open and the store is readable."""

    event: ClassVar[str] = "server-ready"
    listening: tuple[str, ...]
    control: str
    metrics: tuple[str, ...]
    sessions_limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEnded(WarningEvent):
    """One of several workers has ended. The others go on."""

    event: ClassVar[str] = "worker-ended"
    worker: int
    reason: str
    restart_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStopping(Event):
    """A signal asked the server to stop. No new connection is accepted."""

    event: ClassVar[str] = "server-stopping"
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStopped(Event):
    """All acknowledged mail is on disk and the store is closed."""

    event: ClassVar[str] = "server-stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReloaded(Event):
    """SIGHUP: configuration and certificates were read again.

    Open sessions continue. `restart_for` names the changed settings that need a restart.
    """

    event: ClassVar[str] = "server-reloaded"
    restart_for: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadFailed(FailureEvent):
    """SIGHUP: the new configuration is invalid. The server keeps the old one."""

    event: ClassVar[str] = "reload-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramUpgraded(WarningEvent):
    """An upgrade has replaced code that is needed now. `doing` begins after a restart."""

    event: ClassVar[str] = "program-upgraded"
    doing: WorkWord
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFailing(FailureEvent):
    """A sync or a read of the database failed, or the database is damaged.

    Nothing is acknowledged until the store is opened again. The server exits with code 75, so
    that the service manager restarts it. If that start finds damage, the server exits with code
    65 and is not restarted.
    """

    event: ClassVar[str] = "server-failing"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalError(FailureEvent):
    """A defect in Restante.

    The session concerned got 421 or 451; all others continue. Please report it.
    """

    event: ClassVar[str] = "internal-error"
    doing: WorkWord | DefectPlace | None = None
    messages: int | None = None
    message: str | None = None
    domain: str | None = None
    channel: str | None = None
    request: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockDoubted(WarningEvent):
    """The wall clock differs from the expected time by `seconds`; negative: it is behind.

    Until `ends`, ages are counted by the expected time. Set the clock if it is wrong.
    """

    event: ClassVar[str] = "clock-doubted"
    seconds: float
    ends: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTrusted(Event):
    """The wall clock is trusted again: it was corrected, or ran evenly for 12 hours."""

    event: ClassVar[str] = "clock-trusted"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesLeftOut(WarningEvent):
    """`count` lines of the event `of_event` were left out of the log, after ten in a minute."""

    event: ClassVar[str] = "lines-left-out"
    of_event: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDiverted(FailureEvent):
    """The file or the syslog server of `[log]` takes no lines. They go to standard error.

    The place is tried again after five seconds, and at a reload. Mail goes on.
    """

    event: ClassVar[str] = "log-diverted"
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRestored(Event):
    """The place of the log takes lines again. Lines of the time before are on standard error."""

    event: ClassVar[str] = "log-restored"
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStalled(WarningEvent):
    """One step of the event loop took more than a quarter of a second: at least `seconds`.

    All other work waited. Please report it if the machine was not overloaded.
    """

    event: ClassVar[str] = "loop-stalled"
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateExpiring(WarningEvent):
    """A certificate in use expires in 14, 7, 3 or 1 days, or has expired.

    Each step is logged once for each certificate; those for different types of key are one.
    """

    event: ClassVar[str] = "certificate-expiring"
    days: int
    ends: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateIssued(Event):
    """An authority issued a certificate by ACME. The listeners use it from now on."""

    event: ClassVar[str] = "certificate-issued"
    hosts: tuple[str, ...]
    ends: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateOrderFailed(WarningEvent):
    """An authority issued no certificate by ACME. The present one stays in use.

    The order is tried again after `retry_seconds`.
    """

    event: ClassVar[str] = "certificate-order-failed"
    hosts: tuple[str, ...]
    reason: str
    retry_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRefused(Event):
    """A password or code for the portal was refused. The user is not told the reason given here.

    After a number of failures, attempts are refused without a check. These are not logged.
    """

    event: ClassVar[str] = "sign-in-refused"
    portal_user: str
    account: str
    peer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRefused(Event):
    """A request to the API had an invalid token. The client is not told the cause given here.

    After twenty in ten minutes from one address block, further ones are not logged.
    """

    event: ClassVar[str] = "token-refused"
    token: str
    token_name: str
    account: str
    peer: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeScheduled(Event):
    """An account asked for another destination of a domain, or for other authorized hosts.

    The change waits. It is applied at `ends`, unless it is cancelled.
    """

    event: ClassVar[str] = "change-scheduled"
    number: int
    domain: str
    account: str
    actor: str
    acted_from: str
    ends: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEnded(Event):
    """A change that waited was applied, cancelled or dropped; `actor` asked for it."""

    event: ClassVar[str] = "change-ended"
    number: int
    domain: str
    account: str
    actor: str
    end: str
    reason: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnaroundRightGiven(Event):
    """An account let a login take mail by ATRN, or gave such a login another proof.

    The right is in force from `begins` on, unless somebody takes it away.
    """

    event: ClassVar[str] = "turnaround-right-given"
    account: str
    login: str
    actor: str
    acted_from: str
    begins: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChanged(Event):
    """A record or held mail was changed. The actor is an operator, a token, a user or a policy."""

    event: ClassVar[str] = "record-changed"
    action: str
    subject: str
    account: str
    domain: str
    actor: str
    acted_from: str
    reason: str
    changes: tuple[str, ...]
