"""The data of a store in memory, and the removal of data that depends on removed data."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from restante.mail.message import ContentFile, MessageNumbers
from restante.queue.drain_word import DrainEnd
from restante.queue.held_peak import HeldAmount, PeakPlace
from restante.queue.history import HistoryEntry
from restante.queue.monthly_use import AccountUse, UseMonth
from restante.queue.presence import PresenceChange
from restante.queue.recipient_status import RecipientMove
from restante.store.answer_store import KeptAnswer
from restante.store.content_store import DAMAGED
from restante.store.drain_book import DrainBook
from restante.store.figure_store import DomainUsage
from restante.store.handover_store import PastDrain
from restante.store.memory.memory_message import MemoryMessage
from restante.store.memory.waiting_reports import WaitingReports
from restante.store.record_store import CHANGES_KEPT
from restante.store.release_store import ReleaseRecord
from restante.store.store_errors import Conflict
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import Directory, LoginUse
from restante.tenancy.notice import Notice, PastNotice, QuietTopic, Topic
from restante.tenancy.numbered_change import RecordKind
from restante.tenancy.recipients import Recipient, RecipientSource
from restante.tenancy.scheduled_change import ScheduledChange
from restante.tenancy.session_record import SessionRecord


@dataclass(slots=True)
class DrainShare:
    """The work of one drain for one release so far."""

    moved: dict[RecipientMove, int] = field(default_factory=dict)
    left: int = 0
    ended_at: float | None = None
    end: DrainEnd | None = None


@dataclass(slots=True)
class MemoryState:
    """The data that the parts of the store share."""

    mail: dict[int, MemoryMessage] = field(default_factory=dict)  # in the order of numbers
    numbers: MessageNumbers = field(default_factory=MessageNumbers)
    files: dict[str, bytes] = field(default_factory=dict)  # content by name
    reports: WaitingReports = field(default_factory=WaitingReports)
    drains: DrainBook = field(default_factory=DrainBook)
    past_drains: dict[int, PastDrain] = field(default_factory=dict)
    directory: Directory = field(default_factory=Directory)
    recipients: dict[tuple[int, RecipientSource, str], Recipient] = field(default_factory=dict)
    marks: dict[tuple[int, str], float] = field(default_factory=dict)
    notices: dict[int, Notice] = field(default_factory=dict)  # by number
    past_notices: list[PastNotice] = field(default_factory=list)  # oldest first
    quiets: dict[Topic, QuietTopic] = field(default_factory=dict)
    trail: list[AuditEntry] = field(default_factory=list)
    releases: dict[int, ReleaseRecord] = field(default_factory=dict)  # by id
    release_drains: dict[tuple[int, int], DrainShare] = field(  # by release and domain id
        default_factory=dict
    )
    answers: dict[tuple[str, str], KeptAnswer] = field(default_factory=dict)  # the oldest first
    history: list[HistoryEntry] = field(default_factory=list)  # by id
    change_listeners: list[Callable[[], None]] = field(default_factory=list)
    changes: deque[tuple[int, RecordKind, str]] = field(  # of records: number, kind, key
        default_factory=lambda: deque(maxlen=CHANGES_KEPT)
    )
    token_uses: dict[str, float] = field(default_factory=dict)  # by id
    data_keys: dict[int, bytes] = field(default_factory=dict)  # sealed, by domain id
    used: dict[bytes, float] = field(default_factory=dict)  # by digest: Unix times
    sessions: dict[bytes, SessionRecord] = field(default_factory=dict)  # by the hash of the secret
    presence: dict[int, PresenceChange] = field(default_factory=dict)  # by number
    last_presence_id: int = 0
    uses: dict[UseMonth, AccountUse] = field(default_factory=dict)
    erasures: list[str] = field(default_factory=list)  # the addresses of marks; "" when ended
    peaks: dict[PeakPlace, HeldAmount] = field(default_factory=dict)
    login_uses: dict[str, LoginUse] = field(default_factory=dict)  # by user name
    scheduled: dict[int, ScheduledChange] = field(default_factory=dict)  # by id
    last_scheduled_id: int = 0
    last_domain_id: int = 0
    last_channel_id: int = 0

    def note_change(self, kind: RecordKind, key: str, audit: AuditEntry | None) -> None:
        """Number a change of a record, and append its entry, if it has one, to the trail."""
        self.directory = replace(self.directory, change_number=self.directory.change_number + 1)
        self.changes.append((self.directory.change_number, kind, key))
        if audit is not None:
            self.trail.append(audit)
        for listener in self.change_listeners:
            listener()

    def of(self, domain_id: int) -> list[MemoryMessage]:
        """Return a domain's mail, oldest first."""
        return [kept for kept in self.mail.values() if kept.message.domain_id == domain_id]

    def forget(self, number: int) -> None:
        """Remove a message with its file."""
        kept = self.mail.pop(number)
        if kept.message.file:
            self.files.pop(kept.message.file.name, None)

    def park(self, file: ContentFile, text: str) -> None:
        """Refuse the recipients of the message that this file belongs to."""
        for kept in self.mail.values():
            if kept.message.file is not None and kept.message.file.name == file.name:
                kept.park(f"{DAMAGED} {text}")

    def usage(self, domain_id: int) -> DomainUsage:
        """Return what a domain holds."""
        messages = [kept for kept in self.mail.values() if kept.message.domain_id == domain_id]
        octets = sum(kept.message.size for kept in messages)
        return DomainUsage(len(messages), octets, sum(not kept.held for kept in messages))

    def account_of(self, domain_id: int) -> str:
        """Return the account of a domain, or "" if it was removed."""
        domain = self.directory.domain_by_id(domain_id)
        return domain.account if domain is not None else ""

    def holds_mail(self, domain_id: int) -> bool:
        """Tell whether a domain holds any."""
        return any(self.of(domain_id))

    def check_hosted(self, domain_id: int) -> None:
        """Raise Conflict if the domain no longer exists."""
        if self.directory.domain_by_id(domain_id) is None:
            raise Conflict(f"domain {domain_id} no longer exists")

    def count_for_releases(self, domain_id: int, move: RecipientMove) -> None:
        """Count a message for the releases that its domain's drain works for."""
        for share in self._open_shares(domain_id):
            share.moved[move] = share.moved.get(move, 0) + 1

    def end_drain_shares(self, domain_id: int, at: float, ending: DrainEnd) -> None:
        """Close the accounts of a domain's drain for its releases."""
        left = self.usage(domain_id).held
        for share in self._open_shares(domain_id):
            share.ended_at, share.end, share.left = at, ending, left

    def joined_of(self, domain_id: int, release: int) -> dict[int, DrainShare]:
        """Return the open accounts of a domain's drain for other releases than this one."""
        return {
            by: share
            for (by, of), share in self.release_drains.items()
            if of == domain_id and by != release and share.ended_at is None
        }

    def end_sessions(self, email: str, but_with: bytes | None = None) -> None:
        """Remove the sessions of a portal user, but those with this stamp."""
        self.sessions = {
            key: one
            for key, one in self.sessions.items()
            if one.email != email or one.stamp == but_with
        }

    def _open_shares(self, domain_id: int) -> list[DrainShare]:
        return [
            share
            for (_, of), share in self.release_drains.items()
            if of == domain_id and share.ended_at is None
        ]

    def replace_recipients(
        self, recipients: dict[tuple[int, RecipientSource, str], Recipient]
    ) -> None:
        """Take another dictionary: a changed one would not be seen by those that sorted it."""
        self.recipients = recipients

    def domain_removed(self, domain_id: int, at: float) -> None:
        """Remove all that goes with a domain."""
        self.end_drain_shares(domain_id, at, DrainEnd.STOPPED)
        self.drains.forget(domain_id)
        self.past_drains.pop(domain_id, None)
        self.data_keys.pop(domain_id, None)
        self.marks = {key: value for key, value in self.marks.items() if key[0] != domain_id}
        self.recipients = {
            key: value for key, value in self.recipients.items() if key[0] != domain_id
        }

    def notices_of(self, channel_id: int) -> list[int]:
        """Return the numbers of the notices that wait for a channel."""
        return [
            number for number, notice in self.notices.items() if notice.channel_id == channel_id
        ]

    def hasten_channel(self, channel_id: int, at: float) -> None:
        """Have its notices due at a time, if not before."""
        for number in self.notices_of(channel_id):
            notice = self.notices[number]
            self.notices[number] = replace(notice, next_attempt_at=min(notice.next_attempt_at, at))

    def forget_channel(self, channel_id: int) -> None:
        """Remove its notices."""
        self.past_notices = [one for one in self.past_notices if one.channel_id != channel_id]
        self.notices = {
            number: one for number, one in self.notices.items() if one.channel_id != channel_id
        }
