"""Events of the store, its disk, and the retention of mail."""

from dataclasses import dataclass
from typing import ClassVar

from restante.telemetry.events.event import Event, FailureEvent
from restante.telemetry.work_word import WorkWord


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFailed(FailureEvent):
    """A store operation failed. Mail was answered 451, release requests 458."""

    event: ClassVar[str] = "store-failed"
    doing: WorkWord
    messages: int | None = None
    message: str | None = None
    peer: str | None = None
    domain: str | None = None
    domain_id: int | None = None
    unsettled: int | None = None
    request: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreScrubbed(Event):
    """The daily check read the whole database and all held content.

    The fields have the amount read and the number of damaged messages.
    """

    event: ClassVar[str] = "store-scrubbed"
    messages: int
    octets: int
    files: int
    damaged: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDamaged(Event):
    """A message's content has changed on disk or is missing.

    Its recipients are marked damaged with a reply that begins `damaged:`. Other mail is not
    held up by it.
    """

    event: ClassVar[str] = "message-damaged"
    message: str
    domain: str
    account: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAway(Event):
    """The store cannot be reached, its database was moved, or it could lose acknowledged mail.

    MAIL is answered 451 meanwhile.
    """

    event: ClassVar[str] = "store-away"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreBack(Event):
    """The store can be used again, after so many seconds. Mail is accepted."""

    event: ClassVar[str] = "store-back"
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectsAway(Event):
    """The object store for large content cannot be used.

    A message of 1 MiB or more is answered 451 after its content, and held ones are deferred. All
    other mail is taken and handed over.
    """

    event: ClassVar[str] = "objects-away"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectsBack(Event):
    """The object store can be used again, after so many seconds."""

    event: ClassVar[str] = "objects-back"
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectsRemoved(Event):
    """Objects that belonged to no message were removed from the object store.

    They were first seen without a message `objects.orphan_hours` ago. A few are normal after a
    server was killed. Many show that a backup of the database was restored, or that somebody else
    writes there.
    """

    event: ClassVar[str] = "objects-removed"
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomShort(Event):
    """Less than `reception.disk_reserve` is free on the store's disk. MAIL is answered 452."""

    event: ClassVar[str] = "room-short"
    free_octets: int
    disk_reserve: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomBack(Event):
    """The store's disk has enough free space again. Mail is accepted."""

    event: ClassVar[str] = "room-back"
    free_octets: int
    disk_reserve: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionAhead(Event):
    """The oldest mail of a domain will be deleted in 7, 3 or 1 days unless it is released.

    Each step is logged once.
    """

    event: ClassVar[str] = "retention-ahead"
    domain: str
    account: str
    status: str
    days: int
    at_end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionOver(Event):
    """Mail is older than its domain's retention and is kept anyway."""

    event: ClassVar[str] = "retention-over"
    domain: str
    account: str
    status: str
    at_end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailExpired(Event):
    """Mail older than its domain's retention was deleted. The audit trail has the names."""

    event: ClassVar[str] = "mail-expired"
    domain: str
    account: str
    status: str
    messages: int
    at_end: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryTrimmed(Event):
    """History exceeded its octets, so its oldest entries were removed before their time.

    Raise `[history] octets`, or lower `days`, so that nobody relies on more than there is.
    """

    event: ClassVar[str] = "history-trimmed"
    entries: int
    octets: int
    oldest_at: float
