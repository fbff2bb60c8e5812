"""The store of one process: SQLite for mail and records, files for large content, all in one locked directory.

    event loop ── change ────► Writer (one thread, one connection: transactions, syncs, checkpoints)
        │  ▲                     │
        │  └── answers, usage ───┘ one wake-up a commit
        ├───── question ──► Readers (two threads, on connections that cannot write)
        └───── content ───► ContentFiles (four threads)

Promise: what a method says is done survives a crash of the process, the system and the power, as far as the disk does
what it is told. Weak: a lost disk is lost mail, for nothing is replicated here; the database file never shrinks, though
what removed mail leaves free is used again; and one transaction over very many messages (delete, release_refused) makes
everybody wait for it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw

from restante.mail.message import ContentFile, HeldMessage, NewMessage
from restante.mail.report import NewReport, Report
from restante.queue.sending import Backlog, SendingOutcome
from restante.queue.status import Outcome, Status
from restante.store.errors import Damaged, StoreError
from restante.store.interface import (
    NO_USAGE,
    Backup,
    Bounce,
    Drain,
    NodeRequest,
    QueuedMessage,
    QueueFilter,
    ReportFilter,
    Usage,
    WaitingReport,
)
from restante.store.sqlite import engine, mail_changes, proof, queries, reading, record_changes, report_changes, sending
from restante.store.sqlite.account_sums import AccountSums
from restante.store.sqlite.backup import write_backup
from restante.store.sqlite.ledger import Balance
from restante.store.sqlite.notices import SqliteNotices
from restante.store.sqlite.opening import Parts, open_parts
from restante.store.sqlite.rows import message_row
from restante.store.sqlite.spool import FileSpool
from restante.store.sqlite.transaction import Change
from restante.store.sqlite.writer import Writer
from restante.tenancy.audit import EVERY_ENTRY, AuditEntry, AuditFilter
from restante.tenancy.model import Account, Directory, HostedDomain, Login
from restante.tenancy.recipients import Recipient

OnDamage = Callable[[int, str], None]
"""Told, on the event loop, of each message that is met and cannot be handed out: its number and what is wrong."""

_Answer = TypeVar("_Answer")


async def open_sqlite(
    directory: Path,
    *,
    on_damage: OnDamage | None = None,
    vfs: str | None = None,
    ballast: int = 0,
    proof_seconds: float = proof.SECONDS,
) -> "SqliteStore":
    """Open the store in a directory, making both where they are not there. `vfs` is SQLite's; tests put theirs in.

    `ballast` is the room, in octets, that is kept so that a full disk can be emptied; `proof_seconds` is how long, twice,
    the proof may take that the database can be walked. Raises StoreUnusable, which says why and what to do.
    """
    parts = await asyncio.to_thread(open_parts, directory, vfs, ballast, proof_seconds)
    store = SqliteStore(parts, on_damage or _unheard)
    await store.park(parts.damaged)
    return store


def _unheard(_number: int, _text: str) -> None:
    """Where nobody listens for damage."""


class SqliteStore(SqliteNotices):
    """A `Store` on SQLite. Belongs to the event loop on which it was opened."""

    def __init__(self, parts: Parts, on_damage: OnDamage) -> None:
        self._lock = parts.lock
        self._health = parts.health
        self._files = parts.files
        self._readers = parts.readers
        self._on_damage = on_damage
        self._usages: dict[int, Usage] = {}
        self._accounts = AccountSums()
        self._last_number = 0
        self._is_closed = False
        self._requests: dict[tuple[str, str], NodeRequest] = {}
        self._requests_until = 0  # the entry of the trail up to which they were read
        self._announce(parts.ledger.balance_of_all())
        self._writer = Writer(
            parts.connection,
            parts.ledger,
            parts.health,
            parts.ballast,
            announce=self._announce,
            remove_files=parts.files.remove,
        )
        self._path = parts.path
        self._vfs = parts.vfs

    @property
    def failure(self) -> str:
        """Why the store must be opened anew; "" while all is well."""
        return self._health.failure

    async def close(self) -> None:
        """Finish what was begun and let go of the data."""
        if self._is_closed:
            return
        self._is_closed = True
        await asyncio.to_thread(self._readers.close)  # first: the last connection to go is the one that may checkpoint
        await self._writer.close()
        await asyncio.to_thread(self._files.close)
        self._lock.release()

    async def _write(self, change: Change) -> Any:
        self._check()
        return await self._writer.submit(change)

    async def _read(self, question: Callable[[apsw.Connection], _Answer]) -> _Answer:
        self._check()
        return await self._readers.ask(question)

    def _check(self) -> None:
        if self._is_closed:
            raise StoreError("the store is closed")
        self._health.check()

    def _announce(self, balance: Balance) -> None:
        self._usages.update(balance.usages)
        self._accounts.take(balance)
        self._last_number = balance.last_number

    async def park(self, damaged: Sequence[reading.Damage]) -> None:
        """Tell of damaged messages, and refuse their recipients; what cannot be now is done when they are next met."""
        for damage in damaged:
            self._on_damage(damage.number, damage.text)
            with suppress(StoreError):
                change = partial(mail_changes.park_damaged, number=damage.number, text=damage.text, at=time.time())
                await self._write(change)

    # --- mail

    async def hold(self, messages: Sequence[NewMessage]) -> None:
        """Hold all of these or none."""
        if messages:
            await self._write(partial(mail_changes.hold, rows=[message_row(message) for message in messages]))

    def open_spool(self) -> FileSpool:
        """Begin large content."""
        return self._files.open_spool()

    async def duplicate(self, file: ContentFile) -> ContentFile:
        """Give the same content a second durable name."""
        self._check()
        return await self._files.duplicate(file)

    async def held(self, domain_id: int, after: int, limit: int, max_octets: int) -> list[HeldMessage]:
        """Return messages with a held recipient whose number is above `after`, oldest first; damaged ones left out."""
        question = partial(reading.held, domain_id=domain_id, after=after, limit=limit, max_octets=max_octets)
        window = await self._read(question)
        await self.park(window.damaged)
        return window.messages

    async def read_file(self, file: ContentFile) -> AsyncIterator[bytes]:
        """Yield a content file in blocks."""
        try:
            async with aclosing(self._files.read(file)) as blocks:
                async for block in blocks:
                    yield block
        except Damaged as damage:
            await self._park_file(file, damage)
            raise

    async def prove_file(self, file: ContentFile, beginning: int) -> bytes:
        """Read all of a content file, and return so many of its first octets."""
        self._check()
        try:
            return await self._files.prove(file, beginning)
        except Damaged as damage:
            await self._park_file(file, damage)
            raise

    async def _park_file(self, file: ContentFile, damage: Damaged) -> None:
        await self.park(await self._read(partial(reading.damage_of_file, name=file.name, text=str(damage))))

    async def read_beginning(self, file: ContentFile, octets: int) -> bytes:
        """Return the first octets of a content file."""
        self._check()
        return await self._files.read_beginning(file, octets)

    async def settle(
        self, drain: Drain, outcomes: Sequence[Outcome], reports: Sequence[NewReport] = (), at: float = 0.0
    ) -> None:
        """Record what became of these recipients, with the reports on them."""
        await self._write(partial(mail_changes.settle, drain=drain, outcomes=outcomes, reports=reports, at=at))

    def usage(self, domain_id: int) -> Usage:
        """Return what a domain holds, as of the last commit."""
        return self._usages.get(domain_id, NO_USAGE)

    def usages(self) -> Mapping[int, Usage]:
        """Return what each domain holds, by domain id."""
        return {domain_id: usage for domain_id, usage in self._usages.items() if usage.messages}

    def usage_of_account(self, account: str) -> Usage:
        """Return what all domains of an account hold together, as of the last commit."""
        return self._accounts.usage(account)

    def last_number(self) -> int:
        """Return the highest message number ever held, or 0."""
        return self._last_number

    async def oldest(self) -> Mapping[int, float]:
        """Return, by domain id, when the oldest message was received."""
        return await self._read(reading.oldest)

    async def list_queue(self, selection: QueueFilter) -> list[QueuedMessage]:
        """Return the messages with a recipient that matches, by number, and of each those recipients only."""
        if selection.status is Status.REFUSED and selection.domain_ids is None:
            selection = replace(selection, domain_ids=tuple(self.usages()))  # few are refused: not a walk over all mail
        return await self._read(partial(reading.queue, selection=selection))

    async def message(self, number: int) -> HeldMessage | None:
        """Return one message with all its recipients, or None. Raises Damaged, StoreError."""
        found = await self._read(partial(reading.message, number=number))
        if isinstance(found, reading.Damage):
            await self.park([found])
            raise Damaged(found.text)
        return found

    async def delete(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Remove whole messages; returns how many were there."""
        count: int = await self._write(partial(mail_changes.delete, numbers=numbers, audit=audit))
        return count

    async def release_refused(self, numbers: Sequence[int], audit: AuditEntry) -> int:
        """Make the refused recipients of these messages held again; returns how many messages had some."""
        count: int = await self._write(partial(mail_changes.release_refused, numbers=numbers, audit=audit))
        return count

    async def expired(self, domain_id: int, status: Status, before: float, limit: int) -> list[int]:
        """Return messages with a recipient that has this status since before then, oldest first."""
        return await self._read(
            partial(reading.expired, domain_id=domain_id, status=status, before=before, limit=limit)
        )

    async def expire(
        self, domain_id: int, numbers: Sequence[int], status: Status, before: float, audit: AuditEntry
    ) -> int:
        """Remove the recipients of these messages that have this status since before then."""
        change = partial(
            mail_changes.expire, domain_id=domain_id, numbers=numbers, status=status, before=before, audit=audit
        )
        count: int = await self._write(change)
        return count

    async def waiting_since(self, domain_id: int, status: Status) -> float | None:
        """Return since when the first recipient of a domain with this status has it."""
        return await self._read(partial(reading.waiting_since, domain_id=domain_id, status=status))

    async def marks(self, kind: str) -> Mapping[int, float]:
        """Return the marks of a kind, by domain id."""
        return await self._read(partial(reading.marks, kind=kind))

    async def keep_mark(self, domain_id: int, kind: str, value: float | None) -> None:
        """Keep a mark; None forgets it."""
        await self._write(partial(record_changes.keep_mark, domain_id=domain_id, kind=kind, value=value))

    async def bounce(self, bounces: Sequence[Bounce], audit: AuditEntry) -> list[int]:
        """Remove these recipients and store the reports on them."""
        numbers: list[int] = await self._write(partial(report_changes.bounce, bounces=bounces, audit=audit))
        return numbers

    # --- reports

    async def due_reports(self, now: float, limit: int, max_octets: int) -> list[Report]:
        """Return the reports whose next attempt is due, those due longest first."""
        return await self._read(partial(reading.due_reports, now=now, limit=limit, max_octets=max_octets))

    async def next_report_at(self) -> float | None:
        """Return when the next attempt on any report is due."""
        return await self._read(reading.next_report_at)

    async def report_backlog(self) -> Backlog:
        """Return how many reports wait, and since when."""
        return await self._read(partial(reading.backlog, query=queries.REPORT_BACKLOG))

    async def settle_reports(self, outcomes: Sequence[SendingOutcome]) -> None:
        """Record what became of these reports."""
        change = partial(sending.settle, remove=queries.REMOVE_REPORT, put_off=queries.PUT_REPORT_OFF)
        await self._write(partial(change, outcomes=outcomes))

    async def hasten_reports(self, at: float, beyond: float) -> None:
        """Have those tried soon that wait for too long."""
        await self._write(partial(report_changes.hasten, at=at, beyond=beyond))

    async def list_reports(self, selection: ReportFilter) -> list[WaitingReport]:
        """Return the reports that match, by number."""
        return await self._read(partial(reading.reports, selection=selection))

    async def report_content(self, number: int) -> bytes | None:
        """Return a report's content, None if it does not wait."""
        return await self._read(partial(reading.report_content, number=number))

    async def drop_reports(self, numbers: Sequence[int], audit: AuditEntry) -> list[int]:
        """Remove reports; returns the numbers of those that were there."""
        dropped: list[int] = await self._write(partial(report_changes.drop, numbers=numbers, audit=audit))
        return dropped

    async def late_messages(self, received_before: float, limit: int) -> list[HeldMessage]:
        """Return messages whose sender wants to hear of delay and has not yet, oldest first."""
        return await self._read(partial(reading.late_messages, received_before=received_before, limit=limit))

    async def tell_of_delay(self, numbers: Sequence[int], reports: Sequence[NewReport]) -> None:
        """Store the reports, and take note that these messages' senders have heard."""
        await self._write(partial(report_changes.tell_of_delay, numbers=numbers, reports=reports))

    async def backup(self, directory: Path) -> Backup:
        """Write a copy of everything, as at one moment."""
        self._check()
        try:
            return await asyncio.to_thread(write_backup, self._path, self._vfs, self._files, directory)
        except StoreError as error:
            if error.__cause__ is not None and engine.is_damage(error.__cause__):  # of ours: the copy is only written
                self._health.meet(error.__cause__, "copying")
            raise

    # --- drains

    async def open_drain(self, domain_id: int, requested_at: float, deadline: float) -> Drain:
        """Record a drain, or take over the one recorded."""
        change = partial(record_changes.open_drain, domain_id=domain_id, requested_at=requested_at, deadline=deadline)
        drain: Drain = await self._write(change)
        return drain

    async def close_drain(self, drain: Drain) -> None:
        """Record that it is over."""
        await self._write(partial(record_changes.close_drain, drain=drain))

    async def open_drains(self) -> list[Drain]:
        """Return the drains recorded and not closed."""
        return await self._read(reading.open_drains)

    # --- tenancy

    async def directory(self) -> Directory:
        """Return all records at the present change number."""
        return await self._read(reading.directory)

    async def put_account(self, account: Account, audit: AuditEntry) -> None:
        """Add or replace, by name."""
        await self._write(partial(record_changes.put_account, account=account, audit=audit))

    async def remove_account(self, name: str, audit: AuditEntry) -> None:
        """Remove it. Raises Conflict while it has logins or domains."""
        await self._write(partial(record_changes.remove_account, name=name, audit=audit))

    async def put_login(self, login: Login, audit: AuditEntry) -> None:
        """Add or replace, by user name."""
        await self._write(partial(record_changes.put_login, login=login, audit=audit))

    async def remove_login(self, user: str, audit: AuditEntry) -> None:
        """Remove it."""
        await self._write(partial(record_changes.remove_login, user=user, audit=audit))

    async def put_domain(self, domain: HostedDomain, audit: AuditEntry) -> HostedDomain:
        """Add (id 0) or replace, by name, and return it with its id."""
        stored: HostedDomain = await self._write(partial(record_changes.put_domain, domain=domain, audit=audit))
        return stored

    async def remove_domain(self, domain_id: int, audit: AuditEntry) -> None:
        """Remove it and what drain it has. Raises Conflict while it holds mail."""
        await self._write(partial(record_changes.remove_domain, domain_id=domain_id, audit=audit))

    # --- recipients

    async def recipients(self, domain_id: int) -> list[Recipient]:
        """Return a domain's recipients by source and name."""
        return await self._read(partial(reading.recipients, domain_id=domain_id))

    async def change_list(
        self, domain_id: int, added: Sequence[Recipient], dropped: Sequence[str], audit: AuditEntry
    ) -> None:
        """Change a domain's list."""
        change = partial(record_changes.change_list, domain_id=domain_id, added=added, dropped=dropped, audit=audit)
        await self._write(change)

    async def learn(self, domain_id: int, lessons: Sequence[Recipient]) -> None:
        """Keep what a destination said of mailboxes."""
        await self._write(partial(record_changes.learn, domain_id=domain_id, lessons=lessons))

    # --- audit

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append."""
        await self._write(partial(record_changes.record, entries=entries))

    async def audit(self, wanted: AuditFilter = EVERY_ENTRY, limit: int = 100) -> list[AuditEntry]:
        """Return the newest entries, newest first."""
        return await self._read(partial(reading.audit, wanted=wanted, limit=limit))

    async def last_requests(self) -> Sequence[NodeRequest]:
        """Return when each node was last asked for with a positive answer; what was read before is remembered."""
        newest, requests = await self._read(partial(reading.granted_requests, after=self._requests_until))
        for request in requests:
            key = (request.node, request.account)
            known = self._requests.get(key)
            if known is None or known.at < request.at:
                self._requests[key] = request
        self._requests_until = max(newest, self._requests_until)
        return [self._requests[key] for key in sorted(self._requests)]
