"""Events of reports to senders and of notices."""

from dataclasses import dataclass
from typing import ClassVar

from restante.telemetry.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMade(Event):
    """A report to a reverse-path was stored. Its action is failed, delayed or relayed."""

    event: ClassVar[str] = "report-made"
    message: str
    action: str
    recipients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSent(Event):
    """A mail server of the reverse-path's domain accepted a report."""

    event: ClassVar[str] = "report-sent"
    message: str
    action: str
    account: str
    domain: str
    failures: int
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDeferred(Event):
    """A report could not be sent now. It will be tried again."""

    event: ClassVar[str] = "report-deferred"
    message: str
    action: str
    account: str
    domain: str
    failures: int
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDropped(Event):
    """A report was dropped: refused, without a server to send it to, or tried for too long.

    Nobody is notified.
    """

    event: ClassVar[str] = "report-dropped"
    message: str
    action: str
    account: str
    domain: str
    failures: int
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessReportsDropped(Event):
    """More success reports waited than `reports.successes_limit` allows.

    `count` of them were dropped. Nobody is notified. The mail itself was delivered.
    """

    event: ClassVar[str] = "success-reports-dropped"
    count: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSent(Event):
    """A notice was sent to its channel."""

    event: ClassVar[str] = "notice-sent"
    channel: str
    account: str
    transport: str
    kind: str
    notice: str
    failures: int
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDeferred(Event):
    """A notice could not be sent now. It will be tried again; later notices of its channel wait."""

    event: ClassVar[str] = "notice-deferred"
    channel: str
    account: str
    transport: str
    kind: str
    notice: str
    failures: int
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeGivenUp(Event):
    """A notice was dropped: permanently refused, or tried for too long."""

    event: ClassVar[str] = "notice-given-up"
    channel: str
    account: str
    transport: str
    kind: str
    notice: str
    failures: int
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesDropped(Event):
    """`count` notices were dropped.

    More waited for a channel than `notices.waiting_limit` allows, or too many arose at once.
    """

    event: ClassVar[str] = "notices-dropped"
    count: int
