"""A store that forgets: the shortest implementation of the contract, for tests and for reading beside it.

Everything is recounted on each call, so that nothing here can drift from what it claims. Content files live in a
dictionary. Nothing suspends: each method has done its work when it is first awaited.
"""

import zlib
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

from restante.mail.message import ContentFile, HeldMessage, NewMessage
from restante.mail.report import NewReport, Report, ReportOutcome
from restante.queue.reporting import wants_word_of_delay
from restante.queue.status import Move, Outcome, RecipientOutcome, Status
from restante.store.errors import Conflict, Damaged, LeaseLost, StoreError
from restante.store.interface import (
    NO_USAGE,
    Backup,
    Bounce,
    Drain,
    NodeRequest,
    QueuedMessage,
    QueuedRecipient,
    QueueFilter,
    ReportFilter,
    Usage,
    WaitingReport,
)
from restante.store.memory_notices import MemoryNotices
from restante.store.memory_reports import MemoryReports
from restante.tenancy.audit import AuditEntry, is_granted_request
from restante.tenancy.model import Account, Directory, HostedDomain, Login
from restante.tenancy.notice import Channel
from restante.tenancy.recipients import Recipient, Source

_BLOCK = 256 * 1024

_Value = TypeVar("_Value")


@dataclass(slots=True)
class _Record:
    """One message, who of its recipients waits, who was refused, and the destination's last word on each."""

    message: NewMessage
    held: list[str]
    refused: set[str] = field(default_factory=set)
    replies: dict[str, str] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)  # at which one was refused, or held again
    is_delay_told: bool = False

    @property
    def all_paths(self) -> tuple[str, ...]:
        return (*self.held, *sorted(self.refused))

    @property
    def held_since(self) -> float:
        return max([self.message.received_at, *self.times.values()])

    def settle(self, outcome: RecipientOutcome, at: float) -> None:
        path = outcome.forward_path
        if path not in self.held:
            return  # deleted or settled meanwhile
        self.replies[path] = outcome.reply
        if outcome.move is not Move.DEFERRED:
            self.held = [other for other in self.held if other != path]
        if outcome.move is Move.DELIVERED:
            self.times.pop(path, None)
        if outcome.move is Move.REFUSED:
            self.refused.add(path)
            self.times[path] = at

    def expire(self, status: Status, before: float) -> bool:
        """Remove who has the status since before then; tell whether there was anybody."""
        if status is Status.HELD:
            is_due = bool(self.held) and self.held_since < before
            if is_due:
                self.times = {path: at for path, at in self.times.items() if path in self.refused}
                self.held = []
            return is_due
        due = {path for path in self.refused if self.times[path] < before}
        self.refused -= due
        self.times = {path: at for path, at in self.times.items() if path not in due}
        return bool(due)

    def give_up(self, paths: Sequence[str]) -> None:
        self.held = [path for path in self.held if path not in paths]
        self.refused.difference_update(paths)
        self.times = {path: at for path, at in self.times.items() if path not in paths}

    def release_again(self, at: float) -> None:
        self.times |= dict.fromkeys(self.refused, at)
        self.held.extend(sorted(self.refused))
        self.refused.clear()

    def recipients(self) -> Iterator[QueuedRecipient]:
        for path in self.all_paths:
            status = Status.REFUSED if path in self.refused else Status.HELD
            yield QueuedRecipient(path, status, self.replies.get(path, ""))


class MemoryStore(MemoryNotices):
    """A `Store` in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._mail: dict[int, _Record] = {}  # by number, and so in the order of acceptance
        self._last_number = 0
        self._files: dict[str, bytes] = {}
        self._files_named = 0
        self._reports = MemoryReports()
        self._drains: dict[int, Drain] = {}
        self._drain_numbers: dict[int, int] = {}  # also of drains that are over: a number never comes back
        self._recipients: dict[tuple[int, Source, str], Recipient] = {}
        self._marks: dict[tuple[int, str], float] = {}
        self._last_domain_id = 0
        self._last_channel_id = 0
        self._directory = Directory()
        self._audit: list[AuditEntry] = []

    @property
    def failure(self) -> str:
        """Nothing can happen to it."""
        return ""

    # --- mail

    async def hold(self, messages: Sequence[NewMessage]) -> None:
        """Hold all of these or none."""
        self._check(messages)
        for message in messages:
            self._mail[message.number] = _Record(message, list(message.envelope.forward_paths))
            self._last_number = message.number

    def _check(self, messages: Sequence[NewMessage]) -> None:
        last = self._last_number
        for message in messages:
            self._check_hosted(message.domain_id)
            if message.number <= last:
                raise Conflict(f"message number {message.number} is not above {last}")
            last = message.number

    def open_spool(self) -> "MemorySpool":
        """Begin large content."""
        return MemorySpool(self._files, self._new_file_name())

    def _new_file_name(self) -> str:
        self._files_named += 1
        return f"memory-{self._files_named}"

    async def duplicate(self, file: ContentFile) -> ContentFile:
        """Give the same content a second name."""
        if file.name not in self._files:
            raise StoreError(f"content file {file.name} is missing")
        copy = replace(file, name=self._new_file_name())
        self._files[copy.name] = self._files[file.name]
        return copy

    async def held(self, domain_id: int, after: int, limit: int, max_octets: int) -> list[HeldMessage]:
        """Return messages with a held recipient whose number is above `after`, oldest first."""
        found: list[HeldMessage] = []
        octets = 0
        for number, record in self._mail.items():
            if len(found) == limit or (found and octets >= max_octets):
                break
            if number > after and record.message.domain_id == domain_id and record.held:
                found.append(_handed_out(record.message, tuple(record.held)))
                octets += len(record.message.head)
        return found

    async def read_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        """Yield a content file in blocks."""
        content = self._files.get(file.name, b"")
        if len(content) != file.size or zlib.crc32(content) != file.crc32:
            raise Damaged(f"content file {file.name} is missing or damaged")
        for start in range(0, len(content), _BLOCK):
            yield content[start : start + _BLOCK]

    async def read_beginning(self, file: ContentFile, octets: int) -> bytes:
        """Return the first octets of a content file."""
        if file.name not in self._files:
            raise StoreError(f"content file {file.name} is missing")
        return self._files[file.name][:octets]

    async def settle(
        self, drain: Drain, outcomes: Sequence[Outcome], reports: Sequence[NewReport] = (), at: float = 0.0
    ) -> None:
        """Record what became of these recipients, with the reports on them."""
        if self._drain_numbers.get(drain.domain_id) != drain.number:
            raise LeaseLost(f"drain {drain.number} of domain {drain.domain_id} is over or was taken over")
        self._reports.keep([report for report in reports if self._is_news(report, drain.domain_id)])
        for outcome in outcomes:
            record = self._mail.get(outcome.number)
            if record is None or record.message.domain_id != drain.domain_id:
                continue
            for recipient in outcome.recipients:
                record.settle(recipient, at)
            if not record.all_paths:
                self._forget(outcome.number)

    def _forget(self, number: int) -> None:
        record = self._mail.pop(number)
        if record.message.file:
            self._files.pop(record.message.file.name, None)

    def usage(self, domain_id: int) -> Usage:
        """Return what a domain holds."""
        records = [record for record in self._mail.values() if record.message.domain_id == domain_id]
        octets = sum(record.message.size for record in records)
        return Usage(len(records), octets, sum(not record.held for record in records))

    def usages(self) -> Mapping[int, Usage]:
        """Return what each domain holds, by domain id."""
        return {domain_id: self.usage(domain_id) for domain_id in self._holding()}

    def usage_of_account(self, account: str) -> Usage:
        """Return what all domains of an account hold together."""
        return sum((self.usage(domain.id) for domain in self._directory.domains_of(account)), start=NO_USAGE)

    def _holding(self) -> list[int]:
        return list(dict.fromkeys(record.message.domain_id for record in self._mail.values()))

    def last_number(self) -> int:
        """Return the highest message number ever held, or 0."""
        return self._last_number

    async def oldest(self) -> Mapping[int, float]:
        """Return, by domain id, when the oldest message was received."""
        newest_first = reversed(self._mail.values())
        return {record.message.domain_id: record.message.received_at for record in newest_first}

    async def list_queue(self, selection: QueueFilter) -> list[QueuedMessage]:
        """Return the messages with a recipient that matches, by number, and of each those recipients only."""
        records = (record for record in self._mail.values() if _selects(selection, record.message))
        listed = (_listed(record, selection) for record in records)
        return [message for message in listed if message.recipients][: selection.limit]

    async def message(self, number: int) -> HeldMessage | None:
        """Return one message with all its recipients, or None."""
        record = self._mail.get(number)
        return _handed_out(record.message, record.all_paths) if record else None

    async def delete(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Remove whole messages; returns how many were there."""
        present = [number for number in dict.fromkeys(numbers) if number in self._mail]
        for number in present:
            self._forget(number)
        self._audit.append(audit)
        return len(present)

    async def release_refused(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Make the refused recipients of these messages held again; returns how many messages had some."""
        records = [self._mail[number] for number in dict.fromkeys(numbers) if number in self._mail]
        concerned = [record for record in records if record.refused]
        for record in concerned:
            record.release_again(audit.at)
        self._audit.append(audit)
        return len(concerned)

    async def expired(self, domain_id: int, status: Status, before: float, limit: int) -> list[int]:
        """Return messages with a recipient that has this status since before then, oldest first."""
        records = self._of(domain_id)
        if status is Status.HELD:
            due = [record for record in records if record.held and record.held_since < before]
        else:
            due = [record for record in records if any(record.times[path] < before for path in record.refused)]
        return [record.message.number for record in due][:limit]

    async def expire(
        self, domain_id: int, numbers: Sequence[int], status: Status, before: float, audit: AuditEntry
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

    async def waiting_since(self, domain_id: int, status: Status) -> float | None:
        """Return since when the first recipient with this status has it."""
        if status is Status.HELD:
            return next((record.held_since for record in self._of(domain_id) if record.held), None)
        return min((record.times[path] for record in self._of(domain_id) for path in record.refused), default=None)

    def _of(self, domain_id: int) -> list[_Record]:
        return [record for record in self._mail.values() if record.message.domain_id == domain_id]

    # --- recipients

    async def recipients(self, domain_id: int) -> list[Recipient]:
        """Return a domain's recipients by source and name."""
        of_domain = [one for (of, _, _), one in self._recipients.items() if of == domain_id]
        return sorted(of_domain, key=lambda one: (one.source, one.name))

    async def change_list(
        self, domain_id: int, added: Sequence[Recipient], dropped: Sequence[str], audit: AuditEntry
    ) -> None:
        """Change a domain's list."""
        self._check_hosted(domain_id)
        for name in dropped:
            self._recipients.pop((domain_id, Source.LIST, name), None)
        self._recipients |= {(domain_id, one.source, one.name): one for one in added}
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
            if record is not None and bounce.forward_paths and set(bounce.forward_paths) <= set(record.all_paths):
                record.give_up(bounce.forward_paths)
                if not record.all_paths:
                    self._forget(bounce.number)
                self._reports.keep([bounce.report] if bounce.report else [])
                done.append(bounce.number)
        self._audit.append(audit)
        return done

    # --- reports

    def _is_news(self, report: NewReport, domain_id: int) -> bool:
        """Tell whether one of those whom it speaks of still waits: what they wait for is settled with it."""
        record = self._mail.get(report.about)
        if record is None or record.message.domain_id != domain_id:
            return False
        return any(path in record.held for path in report.forward_paths)

    async def due_reports(self, now: float, limit: int, max_octets: int) -> list[Report]:
        """Return the reports whose next attempt is due, those due longest first."""
        return self._reports.due(now, limit, max_octets)

    async def next_report_at(self) -> float | None:
        """Return when the next attempt on any report is due."""
        return self._reports.next_at()

    async def settle_reports(self, outcomes: Sequence[ReportOutcome]) -> None:
        """Record what became of these reports."""
        self._reports.settle(outcomes)

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
        """Return messages whose sender wants to hear of delay and has not yet, oldest first."""
        late = (
            record
            for record in self._mail.values()
            if record.message.received_at < received_before
            and record.held
            and not record.is_delay_told
            and wants_word_of_delay(record.message.envelope)
        )
        in_order = sorted(late, key=lambda record: (record.message.received_at, record.message.number))
        return [_handed_out(record.message, tuple(record.held)) for record in in_order[:limit]]

    async def tell_of_delay(self, numbers: Sequence[int], reports: Sequence[NewReport]) -> None:
        """Store the reports, and take note that these messages' senders have heard."""
        untold = {number for number in numbers if number in self._mail and not self._mail[number].is_delay_told}
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

    async def close_drain(self, drain: Drain) -> None:
        """Record that it is over."""
        if self._drain_numbers.get(drain.domain_id) == drain.number:
            self._drain_numbers[drain.domain_id] += 1  # nothing can be settled under it any more
            del self._drains[drain.domain_id]

    async def open_drains(self) -> list[Drain]:
        """Return the drains recorded and not closed."""
        return [self._drains[domain_id] for domain_id in sorted(self._drains)]

    # --- tenancy

    async def directory(self) -> Directory:
        """Return all records at the present change number."""
        return self._directory

    async def put_account(self, account: Account, audit: AuditEntry) -> None:
        """Add or replace, by name."""
        self._change(audit, accounts={**self._directory.accounts, account.name: account})

    async def remove_account(self, name: str, audit: AuditEntry) -> None:
        """Remove it. Raises Conflict while it has logins, domains or channels."""
        has_channels = any(channel.account == name for channel in self._directory.channels.values())
        if any(self._directory.logins_of(name)) or any(self._directory.domains_of(name)) or has_channels:
            raise Conflict(f"account {name} has logins, domains or channels")
        if name in self._directory.accounts:
            self._change(audit, accounts=_without(self._directory.accounts, name))

    async def put_login(self, login: Login, audit: AuditEntry) -> None:
        """Add or replace, by user name."""
        self._check_account(login.account)
        present = self._directory.logins.get(login.user)
        if present and present.account != login.account:
            raise Conflict(f"user name {login.user} is taken")
        self._change(audit, logins={**self._directory.logins, login.user: login})

    async def remove_login(self, user: str, audit: AuditEntry) -> None:
        """Remove it."""
        if user in self._directory.logins:
            self._change(audit, logins=_without(self._directory.logins, user))

    async def put_domain(self, domain: HostedDomain, audit: AuditEntry) -> HostedDomain:
        """Add (id 0) or replace, by name, and return it with its id."""
        self._check_account(domain.account)
        present = self._directory.domains.get(domain.name)
        if (present.id if present else 0) != domain.id:
            raise Conflict(f"domain {domain.name} is there already, or is gone")
        if not present:
            self._last_domain_id += 1
            domain = replace(domain, id=self._last_domain_id)
        self._change(audit, domains={**self._directory.domains, domain.name: domain})
        return domain

    async def remove_domain(self, domain_id: int, audit: AuditEntry) -> None:
        """Remove it and what drain it has. Raises Conflict while it holds mail."""
        if self.usage(domain_id).messages:
            raise Conflict(f"domain {domain_id} holds mail")
        present = self._directory.domain_by_id(domain_id)
        if present is None:
            return
        self._drains.pop(domain_id, None)
        self._drain_numbers.pop(domain_id, None)
        self._marks = {key: value for key, value in self._marks.items() if key[0] != domain_id}
        self._recipients = {key: value for key, value in self._recipients.items() if key[0] != domain_id}
        self._change(audit, domains=_without(self._directory.domains, present.name))

    async def put_channel(self, channel: Channel, audit: AuditEntry) -> Channel:
        """Add a channel of notices, and return it with its id."""
        if channel.account:
            self._check_account(channel.account)
        if self._directory.channel(channel.account, channel.name):
            raise Conflict(f"channel {channel.name} is there already")
        self._last_channel_id += 1
        stored = replace(channel, id=self._last_channel_id)
        self._change(audit, channels={**self._directory.channels, stored.id: stored})
        return stored

    async def remove_channel(self, channel_id: int, audit: AuditEntry) -> None:
        """Remove it and the notices that wait for it."""
        if channel_id in self._directory.channels:
            self._forget_channel(channel_id)
            left = {number: one for number, one in self._directory.channels.items() if number != channel_id}
            self._change(audit, channels=left)

    def _channel_ids(self) -> Collection[int]:
        return self._directory.channels

    def _change(
        self,
        audit: AuditEntry,
        *,
        accounts: Mapping[str, Account] | None = None,
        logins: Mapping[str, Login] | None = None,
        domains: Mapping[str, HostedDomain] | None = None,
        channels: Mapping[int, Channel] | None = None,
    ) -> None:
        was = self._directory
        self._directory = Directory(
            was.change_number + 1,
            was.accounts if accounts is None else accounts,
            was.logins if logins is None else logins,
            was.domains if domains is None else domains,
            was.channels if channels is None else channels,
        )
        self._audit.append(audit)

    def _check_account(self, name: str) -> None:
        if name not in self._directory.accounts:
            raise Conflict(f"account {name} is gone")

    def _check_hosted(self, domain_id: int) -> None:
        if self._directory.domain_by_id(domain_id) is None:
            raise Conflict(f"domain {domain_id} is gone")

    # --- audit

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append."""
        self._audit.extend(entries)

    async def audit(self, *, account: str | None = None, limit: int = 100) -> list[AuditEntry]:
        """Return the newest entries, newest first."""
        newest_first = (entry for entry in reversed(self._audit) if account in (None, entry.account))
        return list(islice(newest_first, limit))

    async def last_requests(self) -> Sequence[NodeRequest]:
        """Return when each node was last asked for with a positive answer."""
        granted = (one for one in self._audit if is_granted_request(one))
        found: dict[tuple[str, str], float] = {}
        for one in granted:
            key = (one.subject.lower(), one.account)
            found[key] = max(one.at, found.get(key, one.at))
        return [NodeRequest(*key, at) for key, at in sorted(found.items())]

    async def backup(self, directory: Path) -> Backup:
        """Raise StoreError: there is nothing that would outlive the process."""
        raise StoreError(f"{directory}: a store in memory has nothing to copy")

    async def close(self) -> None:
        """Nothing is open."""


class MemorySpool:
    """Large content in memory."""

    def __init__(self, files: dict[str, bytes], name: str) -> None:
        self._files = files
        self._name = name
        self._content = bytearray()

    async def write(self, block: bytes) -> None:
        """Append."""
        self._content += block

    async def close(self) -> ContentFile:
        """Keep it under its name."""
        content = bytes(self._content)
        self._files[self._name] = content
        return ContentFile(self._name, len(content), zlib.crc32(content))

    def discard(self) -> None:
        """Forget it."""
        self._files.pop(self._name, None)


def _handed_out(message: NewMessage, forward_paths: tuple[str, ...]) -> HeldMessage:
    envelope = replace(message.envelope, forward_paths=forward_paths)
    return HeldMessage(message.number, message.domain_id, envelope, message.received_at, message.head, message.file)


def _listed(record: _Record, selection: QueueFilter) -> QueuedMessage:
    message = record.message
    recipients = tuple(recipient for recipient in record.recipients() if selection.concerns(recipient))
    return QueuedMessage(
        message.number,
        message.domain_id,
        message.envelope.reverse_path,
        recipients,
        message.received_at,
        message.size,
    )


def _selects(selection: QueueFilter, message: NewMessage) -> bool:
    return (
        message.number > selection.after
        and (selection.domain_ids is None or message.domain_id in selection.domain_ids)
        and selection.reverse_path in (None, message.envelope.reverse_path)
        and (selection.received_before is None or message.received_at < selection.received_before)
        and (selection.larger_than is None or message.size > selection.larger_than)
        and (selection.numbers is None or message.number in selection.numbers)
    )


def _without(records: Mapping[str, _Value], key: str) -> dict[str, _Value]:
    return {name: record for name, record in records.items() if name != key}
