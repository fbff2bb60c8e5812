"""A store in memory only: the shortest implementation of the contract, for tests and as a model.

Everything is recounted on each call, so that no figure can drift. Related parts are in files beside
this one: content files, records, notices, reports. Nothing suspends: each method has done its work
when it is first awaited.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path

from restante.mail.message import ContentFile, HeldMessage, MessageNumbers, NewMessage
from restante.mail.report import NewReport, Report
from restante.queue.fair_order import DueReport
from restante.queue.recipient_status import Outcome, RecipientStatus
from restante.queue.sending_outcome import Backlog, SendingOutcome
from restante.store.hold_refusals import refused_of
from restante.store.interface import (
    DAMAGED,
    NO_USAGE,
    Backup,
    Bounce,
    Drain,
    PastDrain,
    QueuedMessage,
    QueueFilter,
    ReportFilter,
    Usage,
    WaitingReport,
)
from restante.store.memory.memory_files import MemoryFiles
from restante.store.memory.memory_notices import MemoryNotices
from restante.store.memory.memory_record import Record, handed_out, listed, selects
from restante.store.memory.memory_reports import MemoryReports
from restante.store.memory.memory_tenancy import MemoryTenancy
from restante.store.store_care import Slice
from restante.store.store_errors import Conflict, Damaged, LeaseLost, StoreError
from restante.tenancy.audit import AuditEntry
from restante.tenancy.recipients import Recipient, RecipientSource


class MemoryStore(MemoryFiles, MemoryNotices, MemoryTenancy):
    """A `Store` in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._mail: dict[int, Record] = {}  # in the order of numbers
        self._numbers = MessageNumbers()
        self._reports = MemoryReports()
        self._drains: dict[int, Drain] = {}
        self._past_drains: dict[int, PastDrain] = {}
        self._drain_numbers: dict[
            int, int
        ] = {}  # also of drains that are over: a number never comes back
        self._recipients: dict[tuple[int, RecipientSource, str], Recipient] = {}
        self._marks: dict[tuple[int, str], float] = {}

    @property
    def failure(self) -> str:
        """Nothing can happen to it."""
        return ""

    # --- mail

    def numbers(self) -> MessageNumbers:
        """Return the numbers for new messages."""
        return self._numbers

    async def hold(self, messages: Sequence[NewMessage]) -> Mapping[int, StoreError]:
        """Hold these, but for those whose domain is gone; their numbers need not grow."""
        new = {message.number: message for message in messages}
        if len(new) < len(messages) or new.keys() & self._mail.keys():
            raise Conflict("a message number is taken")
        refused = refused_of(
            messages, lambda domain_id: self._directory.domain_by_id(domain_id) is not None
        )
        for number, message in new.items():
            if number not in refused:
                paths = list(message.envelope.forward_paths)
                self._mail[number] = Record(message, paths, is_delay_told=message.is_delay_told)
                self._numbers.pass_over(number)
        self._mail = dict(sorted(self._mail.items()))
        return refused

    async def held(
        self, domain_id: int, after: int, limit: int, max_octets: int
    ) -> list[HeldMessage]:
        """Return messages with a held recipient whose number is above `after`, oldest first."""
        found: list[HeldMessage] = []
        octets = 0
        for number, record in self._mail.items():
            if len(found) == limit or (found and octets >= max_octets):
                break
            if number > after and record.message.domain_id == domain_id and record.held:
                found.append(handed_out(record, tuple(record.held)))
                octets += len(record.message.head)
        return found

    async def settle(
        self,
        drain: Drain,
        outcomes: Sequence[Outcome],
        reports: Sequence[NewReport] = (),
        at: float = 0.0,
    ) -> None:
        """Record the outcomes of these recipients, with the reports on them."""
        self._check_drain(drain)
        self._reports.keep([report for report in reports if self._is_news(report, drain.domain_id)])
        for outcome in outcomes:
            record = self._mail.get(outcome.number)
            if record is None or record.message.domain_id != drain.domain_id:
                continue
            for recipient in outcome.recipients:
                record.settle(recipient, at)
            record.doubts = outcome.doubts or record.doubts
            if not record.all_paths:
                self._forget(outcome.number)

    def _forget(self, number: int) -> None:
        record = self._mail.pop(number)
        if record.message.file:
            self._remove_file(record.message.file)

    def _park(self, file: ContentFile, text: str) -> None:
        for record in self._mail.values():
            if record.message.file is not None and record.message.file.name == file.name:
                record.park(f"{DAMAGED} {text}")

    async def damaged_messages(self) -> int:
        """Return how many messages are marked refused because they are damaged."""
        return sum(
            any(record.replies.get(path, "").startswith(DAMAGED) for path in record.refused)
            for record in self._mail.values()
        )

    def usage(self, domain_id: int) -> Usage:
        """Return what a domain holds."""
        records = [
            record for record in self._mail.values() if record.message.domain_id == domain_id
        ]
        octets = sum(record.message.size for record in records)
        return Usage(len(records), octets, sum(not record.held for record in records))

    def usages(self) -> Mapping[int, Usage]:
        """Return what each domain holds, by domain id."""
        return {domain_id: self.usage(domain_id) for domain_id in self._holding()}

    def usage_of_account(self, account: str) -> Usage:
        """Return what all domains of an account hold together."""
        return sum(
            (self.usage(domain.id) for domain in self._directory.domains_of(account)),
            start=NO_USAGE,
        )

    def _account_of(self, domain_id: int) -> str:
        domain = self._directory.domain_by_id(domain_id)
        return domain.account if domain is not None else ""

    def _holding(self) -> list[int]:
        return list(dict.fromkeys(record.message.domain_id for record in self._mail.values()))

    async def oldest(self) -> Mapping[int, float]:
        """Return, by domain id, when the oldest message was received."""
        newest_first = reversed(self._mail.values())
        return {record.message.domain_id: record.message.received_at for record in newest_first}

    async def list_queue(self, selection: QueueFilter) -> list[QueuedMessage]:
        """Return the messages with matching recipients, by number, with those recipients only."""
        records = (record for record in self._mail.values() if selects(selection, record.message))
        shown = (listed(record, selection) for record in records)
        return [message for message in shown if message.recipients][: selection.limit]

    async def message(self, number: int) -> HeldMessage | None:
        """Return one message with all its recipients, or None."""
        record = self._mail.get(number)
        return handed_out(record, record.all_paths) if record else None

    async def delete(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Remove whole messages; returns how many were there."""
        present = [number for number in dict.fromkeys(numbers) if number in self._mail]
        for number in present:
            self._forget(number)
        self._audit.append(audit)
        return len(present)

    async def release_refused(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Make the refused recipients of these messages held again; return how many had some."""
        records = [self._mail[number] for number in dict.fromkeys(numbers) if number in self._mail]
        concerned = [record for record in records if record.refused or record.uncertain]
        for record in concerned:
            record.release_again(audit.at)
        self._audit.append(audit)
        return len(concerned)

    async def expired(
        self, domain_id: int, status: RecipientStatus, before: float, limit: int
    ) -> list[int]:
        """Return messages with a recipient that has this status since before then, oldest first."""
        records = self._of(domain_id)
        if status is RecipientStatus.HELD:
            due = [record for record in records if record.held and record.held_since < before]
        else:
            due = [
                record
                for record in records
                if any(record.times[path] < before for path in record.refused)
            ]
        return [record.message.number for record in due][:limit]

    async def expire(
        self,
        domain_id: int,
        numbers: Sequence[int],
        status: RecipientStatus,
        before: float,
        audit: AuditEntry,
    ) -> int:
        """Remove the recipients of these messages that have this status since before then."""
        concerned = [record for record in self._of(domain_id) if record.message.number in numbers]
        count = sum([record.expire(status, before) for record in concerned])
        for record in concerned:
            if not record.all_paths:
                self._forget(record.message.number)
        if count:
            self._audit.append(audit)
        return count

    async def waiting_since(self, domain_id: int, status: RecipientStatus) -> float | None:
        """Return since when the first recipient with this status has it."""
        if status is RecipientStatus.HELD:
            return next((record.held_since for record in self._of(domain_id) if record.held), None)
        return min(
            (record.times[path] for record in self._of(domain_id) for path in record.refused),
            default=None,
        )

    def _of(self, domain_id: int) -> list[Record]:
        return [record for record in self._mail.values() if record.message.domain_id == domain_id]

    # --- recipients

    async def recipients(
        self, domain_id: int, after: Recipient | None, limit: int
    ) -> list[Recipient]:
        """Return some of a domain's recipients by source and name."""
        of_domain = [one for (of, _, _), one in self._recipients.items() if of == domain_id]
        later = [one for one in of_domain if after is None or one.key > after.key]
        return sorted(later, key=lambda one: one.key)[:limit]

    async def change_list(
        self, domain_id: int, added: Sequence[str], dropped: Sequence[str], audit: AuditEntry
    ) -> None:
        """Change a domain's list."""
        self._check_hosted(domain_id)
        for name in dropped:
            self._recipients.pop((domain_id, RecipientSource.LIST, name), None)
        for name in added:
            self._recipients[domain_id, RecipientSource.LIST, name] = Recipient(
                name, RecipientSource.LIST, is_there=True, at=audit.at
            )
        self._audit.append(audit)

    async def learn(self, domain_id: int, lessons: Sequence[Recipient]) -> None:
        """Keep what a destination said of mailboxes."""
        self._check_hosted(domain_id)
        self._recipients |= {(domain_id, one.source, one.name): one for one in lessons}

    # --- marks

    async def marks(self, kind: str) -> Mapping[int, float]:
        """Return the marks of a kind, by domain id."""
        return {domain_id: value for (domain_id, of), value in self._marks.items() if of == kind}

    async def keep_mark(self, domain_id: int, kind: str, value: float | None) -> None:
        """Keep a mark; None forgets it."""
        self._check_hosted(domain_id)
        self._marks.pop((domain_id, kind), None)
        if value is not None:
            self._marks[domain_id, kind] = value

    async def bounce(self, bounces: Sequence[Bounce], audit: AuditEntry) -> list[int]:
        """Remove these recipients and store the reports on them."""
        done = []
        for bounce in bounces:
            record = self._mail.get(bounce.number)
            if (
                record is not None
                and bounce.forward_paths
                and set(bounce.forward_paths) <= set(record.all_paths)
            ):
                record.give_up(bounce.forward_paths)
                if not record.all_paths:
                    self._forget(bounce.number)
                self._reports.keep([bounce.report] if bounce.report else [])
                done.append(bounce.number)
        self._audit.append(audit)
        return done

    # --- reports

    def _is_news(self, report: NewReport, domain_id: int) -> bool:
        """Tell whether a recipient that it names still waits; its outcome is settled with it."""
        record = self._mail.get(report.about)
        if record is None or record.message.domain_id != domain_id:
            return False
        return any(path in record.held for path in report.forward_paths)

    async def due_reports(self, now: float, limit: int, max_octets: int) -> list[Report]:
        """Return the reports whose next attempt is due, in fair order."""
        return self._reports.due(now, limit, max_octets, self._account_of)

    async def success_reports(self) -> list[DueReport]:
        """Return all waiting reports of success, in the order in which they were made."""
        return self._reports.successes(self._account_of)

    async def next_report_at(self) -> float | None:
        """Return when the next attempt on any report is due."""
        return self._reports.next_at()

    async def report_backlog(self) -> Backlog:
        """Return how many reports wait, and since when."""
        return self._reports.backlog()

    async def settle_reports(self, outcomes: Sequence[SendingOutcome]) -> None:
        """Record the outcomes of these reports."""
        self._reports.settle(outcomes)

    async def hasten_reports(self, at: float, beyond: float) -> None:
        """Have those tried soon that wait for too long."""
        self._reports.hasten(at, beyond)

    async def list_reports(self, selection: ReportFilter) -> list[WaitingReport]:
        """Return the reports that match, by number."""
        return self._reports.listed(selection)

    async def report_content(self, number: int) -> bytes | None:
        """Return a report's content, None if it does not wait."""
        return self._reports.content(number)

    async def drop_reports(self, numbers: Sequence[int], audit: AuditEntry) -> list[int]:
        """Remove reports; returns the numbers of those that were there."""
        self._audit.append(audit)
        return self._reports.drop(numbers)

    async def late_messages(self, received_before: float, limit: int) -> list[HeldMessage]:
        """Return messages whose sender is still owed a report of delay, oldest first."""
        late = (
            record
            for record in self._mail.values()
            if record.message.received_at < received_before
            and record.held
            and record.wants_word_of_delay
        )
        in_order = sorted(
            late, key=lambda record: (record.message.received_at, record.message.number)
        )
        return [handed_out(record, tuple(record.held)) for record in in_order[:limit]]

    async def tell_of_delay(self, numbers: Sequence[int], reports: Sequence[NewReport]) -> None:
        """Store the reports, and note that these messages' senders were told."""
        untold = {
            number
            for number in numbers
            if number in self._mail and self._mail[number].wants_word_of_delay
        }
        self._reports.keep([report for report in reports if report.about in untold])
        for number in untold:
            self._mail[number].is_delay_told = True

    # --- drains

    async def open_drain(self, domain_id: int, requested_at: float, deadline: float) -> Drain:
        """Record a drain, or take over the one recorded."""
        self._check_hosted(domain_id)
        self._drain_numbers[domain_id] = self._drain_numbers.get(domain_id, 0) + 1
        drain = Drain(domain_id, self._drain_numbers[domain_id], requested_at, deadline)
        self._drains[domain_id] = drain
        return drain

    def _check_drain(self, drain: Drain) -> None:
        if self._drain_numbers.get(drain.domain_id) != drain.number:
            raise LeaseLost(
                f"drain {drain.number} of domain {drain.domain_id} is over or was taken over"
            )

    async def finish_drain(
        self, drain: Drain, left_behind: int = 0, past: PastDrain | None = None
    ) -> bool:
        """Close it if the domain holds no more than was left behind."""
        self._check_drain(drain)
        if self.usage(drain.domain_id).held > left_behind:
            return False
        await self.close_drain(drain, past)
        return True

    async def close_drain(self, drain: Drain, past: PastDrain | None = None) -> None:
        """Record that it is over, and how it went."""
        if self._drain_numbers.get(drain.domain_id) == drain.number:
            self._drain_numbers[drain.domain_id] += 1  # nothing can be settled under it any more
            del self._drains[drain.domain_id]
            if past is not None:
                self._past_drains[drain.domain_id] = past

    async def past_drains(self) -> Mapping[int, PastDrain]:
        """Return how the last drain of each domain went."""
        return dict(self._past_drains)

    async def open_drains(self) -> list[Drain]:
        """Return the drains recorded and not closed."""
        return [self._drains[domain_id] for domain_id in sorted(self._drains)]

    # --- data that is removed with a record

    def _holds_mail(self, domain_id: int) -> bool:
        return self.usage(domain_id).messages > 0

    def _domain_removed(self, domain_id: int) -> None:
        self._drains.pop(domain_id, None)
        self._past_drains.pop(domain_id, None)
        self._drain_numbers.pop(domain_id, None)
        self._marks = {key: value for key, value in self._marks.items() if key[0] != domain_id}
        self._recipients = {
            key: value for key, value in self._recipients.items() if key[0] != domain_id
        }

    def _channel_changed(self, channel_id: int, at: float) -> None:
        self._hasten_channel(channel_id, at)

    def _channel_removed(self, channel_id: int) -> None:
        self._forget_channel(channel_id)

    def _channel_ids(self) -> Collection[int]:
        return self._directory.channels

    # --- all of it

    is_proven = True

    async def scrub(self) -> AsyncIterator[Slice]:
        """Look at every content file."""
        for record in list(self._mail.values()):
            damaged = 0
            if record.message.file is not None:
                try:
                    await self.prove_file(record.message.file, 0)
                except Damaged:
                    damaged = 1
            yield Slice(1, record.message.size, record.message.file is not None, 0.0, damaged)

    async def backup(self, directory: Path) -> Backup:
        """Raise StoreError: there is nothing that would outlive the process."""
        raise StoreError(f"{directory}: a store in memory has nothing to copy")

    async def close(self) -> None:
        """Nothing is open."""
