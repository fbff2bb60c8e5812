"""The contract of a store.

These docstrings are the contract; tests/contract runs on every implementation.

Each method is one transaction: durable when it returns, and StoreError means nothing changed
(errors.py says what a failed sync leaves open). It is made even if its caller is cancelled
meanwhile. All methods are called on the event loop; an implementation does its waiting elsewhere.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from restante.mail.address import path_matches
from restante.mail.message import ContentFile, HeldMessage, MessageNumbers, NewMessage
from restante.mail.report import Action, NewReport, Report
from restante.queue.fair_order import DueReport
from restante.queue.recipient_status import Outcome, RecipientStatus
from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.notice_store import NoticeStore
from restante.store.store_care import Slice
from restante.store.store_errors import StoreError
from restante.tenancy.audit import EVERY_ENTRY, AuditEntry, AuditFilter
from restante.tenancy.model import Account, Directory, HostedDomain, Login
from restante.tenancy.recipients import Recipient

INLINE_LIMIT = 256 * 1024
"""Octets; content above it goes through a Spool.

A row shares its sync with the whole batch; a file has two of its own and a thread's wake-ups. A row
is written twice (log, then database). At 64 KiB rows take 1.9 times the messages a second at half
the processor time. At 200 KB they take 1.4 times. At 1 MiB a limit of 512 KiB was no better."""

DAMAGED = (
    "damaged:"  # begins the reply of recipients who wait for a message that is not whole any more
)


@dataclass(frozen=True, slots=True)
class Usage:
    """A domain's held mail, refused mail included: exact at every commit and after a crash."""

    messages: int = 0
    octets: int = 0
    refused: int = (
        0  # messages with a refused recipient and none held: a release does not move them
    )

    @property
    def held(self) -> int:
        """Messages that a release would hand over."""
        return self.messages - self.refused

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.messages + other.messages, self.octets + other.octets, self.refused + other.refused
        )

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(
            self.messages - other.messages, self.octets - other.octets, self.refused - other.refused
        )


NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Drain:
    """A drain that is to run, or runs.

    It outlives the process: a recorded drain is resumed at start.
    """

    domain_id: int
    number: int  # fencing number: grows each time somebody takes the drain up
    requested_at: float
    deadline: float  # patience: Unix time at which what is left is simply held again


@dataclass(frozen=True, slots=True)
class PastDrain:
    """How a domain's last drain went. Times are Unix time, counts are of messages."""

    started_at: float
    ended_at: float
    requested_by: str  # "login alice", "operator", …
    end: str  # "finished", "given up", "refused", "stopped"
    reason: str  # why it ended
    delivered: int
    deferred: int
    refused: int
    last_words: (
        str  # the last thing that went wrong, mostly in the destination's words; "" for nothing
    )


@dataclass(frozen=True, slots=True)
class QueuedRecipient:
    """One recipient in a listing."""

    forward_path: str
    status: RecipientStatus
    reply: str  # the destination's latest reply about it; "" if there is none


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which recipients a queue listing is about. None means any."""

    domain_ids: tuple[int, ...] | None = None
    status: RecipientStatus | None = None
    reverse_path: str | None = None  # exact; "" is the null reverse-path
    recipient: str | None = None  # pattern of forward-paths, as mail.address.path_matches reads it
    received_before: float | None = None  # Unix time
    larger_than: int | None = None  # octets
    numbers: tuple[int, ...] | None = None
    after: int = 0  # number: for paging
    limit: int = 1000

    def concerns(self, recipient: QueuedRecipient) -> bool:
        """Tell whether a listing is about this recipient of a message that matches otherwise."""
        return self.status in (None, recipient.status) and (
            self.recipient is None or path_matches(recipient.forward_path, self.recipient)
        )


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """One message in a listing, without its content."""

    number: int
    domain_id: int
    reverse_path: str
    recipients: tuple[QueuedRecipient, ...]
    received_at: float
    size: int


@dataclass(frozen=True, slots=True)
class Bounce:
    """Held or refused recipients of one message to give up, with the report; None: no report."""

    number: int
    forward_paths: tuple[str, ...]  # if one of them is not there any more, nothing is done
    report: NewReport | None


@dataclass(frozen=True, slots=True)
class NodeRequest:
    """The last request for one node that was granted, as the audit trail records it."""

    node: str  # as it was asked for, in lower case: a domain, `@domain`, `#name`
    account: str  # whose
    at: float  # Unix time


@dataclass(frozen=True, slots=True)
class Backup:
    """The contents of a copy of the store."""

    messages: int
    octets: int
    files: int


class Spool(Protocol):
    """Large content on its way to disk. Used by one connection, one call at a time."""

    async def write(self, block: bytes) -> None:
        """Append.

        Raises StoreError (disk full, I/O error); the spool can then only be discarded.
        """

    async def close(self) -> ContentFile:
        """Make file and directory entry durable; return the name that a NewMessage gives for it."""

    def discard(self) -> None:
        """Forget it, at any time and more than once.

        After `close` it removes the file too: not for held mail.
        """


@dataclass(frozen=True, slots=True)
class WaitingReport:
    """A report in a listing."""

    number: int
    about: int  # the number of the message reported
    domain_id: int
    action: Action
    reverse_path: str
    made_at: float  # Unix time
    next_attempt_at: float
    failures: int
    reply: str
    size: int  # octets


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which reports to list; None and empty mean any."""

    domain_id: int | None = None
    reverse_path: str | None = None  # pattern, as mail.address.path_matches reads it
    numbers: tuple[int, ...] = ()
    after: int = 0  # number: for paging
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries of the audit trail, newest first."""

    entries: list[AuditEntry]
    before: int | None  # for `audit_page`, to go on with older ones; None where there are no more


class MailStore(Protocol):
    """Held mail."""

    def numbers(self) -> MessageNumbers:
        """Return the numbers for new messages: each is given once, and they grow about with time.

        It is the same object at each call. A message can be durable before another with a lower
        number: no reader may take the highest number that it has seen for the end of the mail.
        """

    async def hold(self, messages: Sequence[NewMessage]) -> Mapping[int, StoreError]:
        """Hold these, and return by number why some are refused: all others are durable.

        A message is refused if its domain no longer exists, and with it all messages of the same
        mail (`NewMessage.first`): their sender gets one reply. Numbers come from `numbers`. Raises
        Conflict if one is taken. Raises StoreError; none is held then. The caller discards spools.
        """

    def open_spool(self) -> Spool:
        """Begin large content. Nothing touches the disk before the first write."""

    async def duplicate(self, file: ContentFile) -> ContentFile:
        """Give the same content a second durable name: each held message owns its own file."""

    async def held(
        self, domain_id: int, after: int, limit: int, max_octets: int
    ) -> list[HeldMessage]:
        """Return messages with a held recipient whose number is above `after`, oldest first.

        At most `limit`, and no more once `max_octets` are in memory (content files do not count);
        at least one if there is one. A message found damaged is reported and skipped, so that it
        blocks no other. Its recipients become refused, with a reply that begins with DAMAGED. An
        operator can delete it, or release it again once it is repaired.
        """

    def read_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        """Yield a content file in blocks of some 256 KiB.

        Raises StoreError where it is missing or damaged.

        Damage may be known only at the end: the blocks are whole only if no error followed. The
        last block never comes from a damaged file. The message that it belongs to is then reported
        and refused, as in `held`.
        """

    async def prove_file(self, file: ContentFile, beginning: int) -> bytes:
        """Read all of a content file to prove it whole, and return `beginning` first octets.

        Raises StoreError, and Damaged if the file is missing or differs from its checksum. The
        message that it belongs to is then reported and refused, as in `held`.
        """

    async def read_beginning(self, file: ContentFile, octets: int) -> bytes:
        """Return so many octets of a content file, or all if it has less.

        Not proven: only the whole has a checksum.

        Raises StoreError where it is missing.
        """

    async def damaged_messages(self) -> int:
        """Return how many messages are marked refused because they are damaged."""

    async def settle(
        self,
        drain: Drain,
        outcomes: Sequence[Outcome],
        reports: Sequence[NewReport] = (),
        at: float = 0.0,
    ) -> None:
        """Record the outcomes of these recipients at `at`, Unix time.

        A message with no recipient left is removed with its file. A recipient that is no longer
        there (deleted meanwhile) is skipped. The reports on these outcomes are stored in the same
        transaction. A report with no held recipient is skipped, so that settling the same again
        reports nothing twice. Raises LeaseLost if another has taken the drain over. The destination
        may then get a message twice, but never not at all.
        """

    def usage(self, domain_id: int) -> Usage:
        """Return what a domain holds, as of the last commit. No I/O; no query."""

    def usages(self) -> Mapping[int, Usage]:
        """Return what each domain holds, by domain id; domains with nothing may be absent.

        No I/O.
        """

    def usage_of_account(self, account: str) -> Usage:
        """Return what all domains of an account hold together, as of the last commit.

        No I/O; no walk over domains.
        """

    async def oldest(self) -> Mapping[int, float]:
        """Return by domain id when each domain's oldest message was received, if it has one."""

    async def list_queue(self, selection: QueueFilter) -> list[QueuedMessage]:
        """Return the messages with matching recipients, by number, with those recipients only."""

    async def message(self, number: int) -> HeldMessage | None:
        """Return one message with all its recipients, held or refused, or None.

        Raises Damaged, StoreError.
        """

    async def delete(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Remove whole messages, whatever their state; returns how many were there."""

    async def release_refused(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Make the refused recipients of these messages held again; return how many had some.

        Their time begins again, with that of the entry.
        """

    async def expired(
        self, domain_id: int, status: RecipientStatus, before: float, limit: int
    ) -> list[int]:
        """Return the numbers of messages with a recipient in this status since before then.

        Oldest first. A held recipient is so since the message was received, or since one of its
        recipients was refused or held again. A refused recipient is so since that was settled.
        """

    async def expire(
        self,
        domain_id: int,
        numbers: Sequence[int],
        status: RecipientStatus,
        before: float,
        audit: AuditEntry,
    ) -> int:
        """Remove the recipients of these messages that have this status since before then.

        A message with none left is removed. Returns from how many messages a recipient was removed;
        the entry is written if there were any.
        """

    async def waiting_since(self, domain_id: int, status: RecipientStatus) -> float | None:
        """Return since when the first recipient of a domain has this status; None without one.

        Of those held, that of the oldest message counts.
        """

    async def bounce(self, bounces: Sequence[Bounce], audit: AuditEntry) -> list[int]:
        """Remove these recipients and store the reports on them; return the numbers concerned.

        A message with none left is removed with its file. One whose recipients have changed
        meanwhile stays as it is.
        """


class ReportStore(Protocol):
    """Reports on their way to reverse-paths.

    They are nobody's usage, and outlive the domain that they are about.
    """

    async def due_reports(self, now: float, limit: int, max_octets: int) -> list[Report]:
        """Return the reports whose next attempt is due, in fair order (queue/fair_order.py).

        At most `limit`, and no more once `max_octets` of content are in memory; at least one if
        there is one.
        """

    async def next_report_at(self) -> float | None:
        """Return when the next attempt on any report is due, None if there are no reports."""

    async def report_backlog(self) -> Backlog:
        """Return how many reports wait, and since when; it costs two seeks, whatever the number."""

    async def success_reports(self) -> list[DueReport]:
        """Return all waiting reports of success, due or not, by number."""

    async def settle_reports(self, outcomes: Sequence[SendingOutcome]) -> None:
        """Record the outcomes of these reports; one that is not there is skipped."""

    async def hasten_reports(self, at: float, beyond: float) -> None:
        """Have those tried at `at` whose next attempt is later than `beyond`; both Unix time."""

    async def list_reports(self, selection: ReportFilter) -> list[WaitingReport]:
        """Return the reports that match, by number."""

    async def report_content(self, number: int) -> bytes | None:
        """Return a report's content, None if it does not wait."""

    async def drop_reports(self, numbers: Sequence[int], audit: AuditEntry) -> list[int]:
        """Remove reports; returns the numbers of those that were there."""

    async def late_messages(self, received_before: float, limit: int) -> list[HeldMessage]:
        """Return messages received before then whose sender is still owed a report of delay.

        Oldest first, each with the recipients that still wait. Damaged messages are left out.
        """

    async def tell_of_delay(self, numbers: Sequence[int], reports: Sequence[NewReport]) -> None:
        """Store the reports, and note that these messages' senders were told: never a second time.

        A report on a message that has left, or whose delay was already reported, is skipped.
        """


class DrainStore(Protocol):
    """Which drains are to run."""

    async def open_drain(self, domain_id: int, requested_at: float, deadline: float) -> Drain:
        """Record a drain, or take over the one recorded: its number grows, which fences its owner.

        Raises Conflict if the domain no longer exists.
        """

    async def finish_drain(
        self, drain: Drain, left_behind: int = 0, past: PastDrain | None = None
    ) -> bool:
        """Close it as `close_drain` does, but only if no mail waits for it; return whether it did.

        `left_behind` is how many messages it has tried and leaves held. If the domain holds more,
        some came meanwhile, or became held again: nothing changes, and the drain must look from
        the oldest message again. The figures are those of the same transaction, so mail that is
        durable before the end is never passed over. Raises LeaseLost if another has taken it over.
        """

    async def close_drain(self, drain: Drain, past: PastDrain | None = None) -> None:
        """Give it up: record that it is over, and how it went, whatever the domain still holds.

        Nothing can be settled under it any more. Nothing happens if another has taken it over. None
        leaves what is known of the drain before.
        """

    async def past_drains(self) -> Mapping[int, PastDrain]:
        """Return how the last drain of each domain went that has had one, by domain id."""

    async def open_drains(self) -> list[Drain]:
        """Return the drains recorded and not closed."""


class TenancyStore(Protocol):
    """The operator's records. Each change also writes its audit entry and moves the change number.

    Removing what is not there is no change.
    """

    async def directory(self) -> Directory:
        """Return all of them at the present change number."""

    async def put_account(self, account: Account, audit: AuditEntry) -> None:
        """Add or replace, by name."""

    async def remove_account(self, name: str, audit: AuditEntry) -> None:
        """Remove it. Raises Conflict while it has logins, domains or channels of notices."""

    async def put_login(self, login: Login, audit: AuditEntry) -> None:
        """Add or replace, by user name.

        Raises Conflict if that user name is another account's, or its own no longer exists.
        """

    async def remove_login(self, user: str, audit: AuditEntry) -> None:
        """Remove it."""

    async def put_domain(self, domain: HostedDomain, audit: AuditEntry) -> HostedDomain:
        """Add (id 0) or replace, by name, and return it with its id.

        Raises Conflict if id is 0 and the name is there, or if the id does not exist or has another
        name. Raises Conflict also if the account does not exist. A domain never changes its name:
        its mail would follow it to another domain's destination.
        """

    async def remove_domain(self, domain_id: int, audit: AuditEntry) -> None:
        """Remove it and what drain it has. Raises Conflict while it holds mail."""


class RecipientStore(Protocol):
    """Which mailboxes of each domain are known. They go with their domain."""

    async def recipients(
        self, domain_id: int, after: Recipient | None, limit: int
    ) -> list[Recipient]:
        """Return so many of a domain's recipients by source and name, from the first or `after`."""

    async def change_list(
        self, domain_id: int, added: Sequence[str], dropped: Sequence[str], audit: AuditEntry
    ) -> None:
        """Drop names from a domain's list, then add to it; those added have the time of the entry.

        Raises Conflict if the domain no longer exists.
        """

    async def learn(self, domain_id: int, lessons: Sequence[Recipient]) -> None:
        """Keep the destination's statements, in place of its earlier ones.

        Raises Conflict if the domain no longer exists.
        """


class MarkStore(Protocol):
    """The notices given of each domain, kept so that none is repeated.

    A mark goes with its domain.
    """

    async def marks(self, kind: str) -> Mapping[int, float]:
        """Return the marks of a kind, by domain id."""

    async def keep_mark(self, domain_id: int, kind: str, value: float | None) -> None:
        """Keep a mark in place of the one there was; None forgets it.

        Raises Conflict if the domain no longer exists.
        """


class AuditStore(Protocol):
    """The audit trail. Only ever grows here."""

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append."""

    async def audit(self, wanted: AuditFilter = EVERY_ENTRY, limit: int = 100) -> list[AuditEntry]:
        """Return the newest of the entries wanted, newest first: few, as all are held in memory."""

    async def audit_page(
        self, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> AuditPage:
        """Return the newest of the entries wanted, or those next older than a page's `before`."""

    async def last_requests(self) -> Sequence[NodeRequest]:
        """Return when each node was last asked for with a positive answer, whatever is held.

        Cheap when asked often.
        """


class Store(
    MailStore,
    ReportStore,
    DrainStore,
    TenancyStore,
    RecipientStore,
    MarkStore,
    NoticeStore,
    AuditStore,
    Protocol,
):
    """All of it, from one implementation, so that one transaction can span them."""

    @property
    def failure(self) -> str:
        """Why the store must be reopened before it does anything more; "" while all is well."""

    @property
    def is_proven(self) -> bool:
        """Whether all of the database was looked at when it was opened; if not, a scrub is due."""

    def scrub(self) -> AsyncIterator[Slice]:
        """Walk once over all records and held content, step by step, without blocking others.

        A message found damaged is reported and refused as in `held`. Raises StoreError; damage to
        the database is met here as anywhere, and then `failure` says so.
        """

    async def backup(self, directory: Path) -> Backup:
        """Write a copy of everything, as at one moment, to a new or empty directory.

        Mail comes in and leaves meanwhile. If writing fails, no copy is left that could be taken
        for a whole one. Raises StoreError.
        """

    async def close(self) -> None:
        """Finish what was begun and let go of the data. No call may follow."""
