"""The store of one process: SQLite for mail and records, files for large content, one directory.

    event loop ── change ────► StoreWriter (one thread, one connection: transactions, checkpoints)
        │  ▲                     │
        │  └── answers, usage ───┘ one wake-up a commit
        ├───── question ──► Readers (two threads, on connections that cannot write)
        └───── content ───► ContentFiles (four threads)

Promise: a change survives any crash, of the process, the system or the power, once its method has
returned. The disk must do as it is told.

Limitations: a lost disk is lost mail, because nothing is replicated here. The database file never
shrinks, though the space of removed mail is used again. One transaction over very many messages
(delete, release_refused) makes everybody wait for it.
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

from restante.mail.message import ContentFile, HeldMessage, MessageNumbers, NewMessage
from restante.mail.report import NewReport
from restante.queue.recipient_status import Outcome, RecipientStatus
from restante.store.interface import (
    NO_USAGE,
    AuditPage,
    Backup,
    Bounce,
    Drain,
    NodeRequest,
    PastDrain,
    QueuedMessage,
    QueueFilter,
    Usage,
)
from restante.store.sqlite import (
    engine,
    mail_changes,
    proof,
    reading,
    record_changes,
    report_changes,
)
from restante.store.sqlite.account_sums import AccountSums
from restante.store.sqlite.backup import write_backup
from restante.store.sqlite.ledger import Balance
from restante.store.sqlite.opening import Parts, open_parts
from restante.store.sqlite.record_memory import RecordMemory
from restante.store.sqlite.records import SqliteRecords
from restante.store.sqlite.report_store import SqliteReports
from restante.store.sqlite.rows import message_row
from restante.store.sqlite.scrub import scrub
from restante.store.sqlite.spool import FileSpool
from restante.store.sqlite.sqlite_notices import SqliteNotices
from restante.store.sqlite.threads import DaemonThreads
from restante.store.sqlite.write_transaction import Change
from restante.store.sqlite.writer import StoreWriter
from restante.store.store_care import Slice
from restante.store.store_errors import Damaged, StoreError
from restante.tenancy.audit import EVERY_ENTRY, AuditEntry, AuditFilter

OnDamage = Callable[[int, str, int], None]
"""Called on the event loop, once for each message that is damaged.

Arguments: its number, the damage, and the domain's id."""

_Answer = TypeVar("_Answer")


async def open_sqlite(
    directory: Path,
    *,
    on_damage: OnDamage | None = None,
    vfs: str | None = None,
    ballast: int = 0,
    proof_seconds: float = proof.SECONDS,
) -> "SqliteStore":
    """Open the store in a directory, making both where they are not there.

    `vfs` is SQLite's; tests put theirs in.

    `ballast` is the room, in octets, that is kept so that a full disk can be emptied.
    `proof_seconds` is half the time that the proof of the database may take. Raises StoreUnusable,
    which says why and what to do.
    """
    parts = await asyncio.to_thread(open_parts, directory, vfs, ballast, proof_seconds)
    store = SqliteStore(parts, on_damage or _unheard)
    await store.park(parts.damaged)
    return store


def _unheard(_number: int, _text: str, _domain_id: int) -> None:
    """Where nobody listens for damage."""


class SqliteStore(SqliteNotices, SqliteReports, SqliteRecords):
    """A `Store` on SQLite. Belongs to the event loop on which it was opened."""

    def __init__(self, parts: Parts, on_damage: OnDamage) -> None:
        self._lock = parts.lock
        self._health = parts.health
        self._files = parts.files
        self._readers = parts.readers
        self._record_memory = RecordMemory()
        self._on_damage = on_damage
        self._usages: dict[int, Usage] = {}
        self._accounts = AccountSums()
        self._numbers = MessageNumbers()
        self._is_closed = False
        self._requests: dict[tuple[str, str], NodeRequest] = {}
        self._requests_until = 0  # the entry of the trail up to which they were read
        self._announce(parts.ledger.balance_of_all())
        self._writer = StoreWriter(
            parts.connection,
            parts.ledger,
            parts.health,
            parts.ballast,
            announce=self._announce,
            remove_files=parts.files.remove,
        )
        self.is_proven = parts.is_proven
        self._path = parts.path
        self._vfs = parts.vfs

    @property
    def failure(self) -> str:
        """Why the store must be reopened; "" while all is well."""
        return self._health.failure

    async def close(self) -> None:
        """Finish what was begun and let go of the data."""
        if self._is_closed:
            return
        self._is_closed = True
        await asyncio.to_thread(
            self._readers.close
        )  # first: the last connection to go is the one that may checkpoint
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
        self._numbers.pass_over(balance.last_number)

    async def park(self, damaged: Sequence[reading.Damage]) -> None:
        """Refuse the recipients of damaged messages, and report it; failures are retried later."""
        for damage in damaged:
            change = partial(
                mail_changes.park_damaged, number=damage.number, text=damage.text, at=time.time()
            )
            is_news = True
            with suppress(StoreError):
                is_news = await self._write(change)
            if is_news:
                self._on_damage(damage.number, damage.text, damage.domain_id)

    # --- mail

    def numbers(self) -> MessageNumbers:
        """Return the numbers for new messages."""
        return self._numbers

    async def hold(self, messages: Sequence[NewMessage]) -> Mapping[int, StoreError]:
        """Hold these, but for those whose domain is gone; here, their numbers must grow."""
        if not messages:
            return {}
        refused: dict[int, StoreError] = await self._write(
            partial(
                mail_changes.hold,
                messages=messages,
                rows=[message_row(message) for message in messages],
            )
        )
        return refused

    def open_spool(self) -> FileSpool:
        """Begin large content."""
        return self._files.open_spool()

    async def duplicate(self, file: ContentFile) -> ContentFile:
        """Give the same content a second durable name."""
        self._check()
        return await self._files.duplicate(file)

    async def held(
        self, domain_id: int, after: int, limit: int, max_octets: int
    ) -> list[HeldMessage]:
        """Return messages with a held recipient, numbered above `after`; damaged ones left out."""
        question = partial(
            reading.held, domain_id=domain_id, after=after, limit=limit, max_octets=max_octets
        )
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
        await self.park(
            await self._read(partial(reading.damage_of_file, name=file.name, text=str(damage)))
        )

    async def read_beginning(self, file: ContentFile, octets: int) -> bytes:
        """Return the first octets of a content file."""
        self._check()
        return await self._files.read_beginning(file, octets)

    async def settle(
        self,
        drain: Drain,
        outcomes: Sequence[Outcome],
        reports: Sequence[NewReport] = (),
        at: float = 0.0,
    ) -> None:
        """Record the outcomes of these recipients, with the reports on them."""
        await self._write(
            partial(mail_changes.settle, drain=drain, outcomes=outcomes, reports=reports, at=at)
        )

    def usage(self, domain_id: int) -> Usage:
        """Return what a domain holds, as of the last commit."""
        return self._usages.get(domain_id, NO_USAGE)

    def usages(self) -> Mapping[int, Usage]:
        """Return what each domain holds, by domain id."""
        return {domain_id: usage for domain_id, usage in self._usages.items() if usage.messages}

    def usage_of_account(self, account: str) -> Usage:
        """Return what all domains of an account hold together, as of the last commit."""
        return self._accounts.usage(account)

    async def oldest(self) -> Mapping[int, float]:
        """Return, by domain id, when the oldest message was received."""
        return await self._read(reading.oldest)

    async def list_queue(self, selection: QueueFilter) -> list[QueuedMessage]:
        """Return the messages with matching recipients, by number, with those recipients only."""
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
        """Make the refused recipients of these messages held again; return how many had some."""
        count: int = await self._write(
            partial(mail_changes.release_refused, numbers=numbers, audit=audit)
        )
        return count

    async def expired(
        self, domain_id: int, status: RecipientStatus, before: float, limit: int
    ) -> list[int]:
        """Return messages with a recipient that has this status since before then, oldest first."""
        return await self._read(
            partial(reading.expired, domain_id=domain_id, status=status, before=before, limit=limit)
        )

    async def expire(
        self,
        domain_id: int,
        numbers: Sequence[int],
        status: RecipientStatus,
        before: float,
        audit: AuditEntry,
    ) -> int:
        """Remove the recipients of these messages that have this status since before then."""
        change = partial(
            mail_changes.expire,
            domain_id=domain_id,
            numbers=numbers,
            status=status,
            before=before,
            audit=audit,
        )
        count: int = await self._write(change)
        return count

    async def waiting_since(self, domain_id: int, status: RecipientStatus) -> float | None:
        """Return since when the first recipient of a domain with this status has it."""
        return await self._read(partial(reading.waiting_since, domain_id=domain_id, status=status))

    async def marks(self, kind: str) -> Mapping[int, float]:
        """Return the marks of a kind, by domain id."""
        return await self._read(partial(reading.marks, kind=kind))

    async def keep_mark(self, domain_id: int, kind: str, value: float | None) -> None:
        """Keep a mark; None forgets it."""
        await self._write(
            partial(record_changes.keep_mark, domain_id=domain_id, kind=kind, value=value)
        )

    async def bounce(self, bounces: Sequence[Bounce], audit: AuditEntry) -> list[int]:
        """Remove these recipients and store the reports on them."""
        numbers: list[int] = await self._write(
            partial(report_changes.bounce, bounces=bounces, audit=audit)
        )
        return numbers

    async def damaged_messages(self) -> int:
        """Return how many messages are marked refused because they are damaged."""
        return await self._read(reading.damaged_messages)

    async def scrub(self) -> AsyncIterator[Slice]:
        """Walk over everything, a slice at each step."""
        self._check()
        threads = DaemonThreads(1, "restante-scrub")
        walk = scrub(self._path, self._vfs, self._files.path(""))
        try:
            while found := await asyncio.get_running_loop().run_in_executor(
                threads, next, walk, None
            ):
                part, damaged = found
                await self.park(damaged)
                yield replace(part, damaged=len(damaged))
                self._check()
        except (apsw.Error, MemoryError, UnicodeDecodeError) as error:
            self._health.meet(error, "scrubbing")
            raise StoreError(f"scrubbing: {error}") from error
        finally:
            threads.submit(walk.close)
            threads.close(0.0)

    async def backup(self, directory: Path) -> Backup:
        """Write a copy of everything, as at one moment."""
        self._check()
        try:
            return await asyncio.to_thread(
                write_backup, self._path, self._vfs, self._files, directory
            )
        except StoreError as error:
            if error.__cause__ is not None and engine.is_damage(
                error.__cause__
            ):  # of ours: the copy is only written
                self._health.meet(error.__cause__, "copying")
            raise

    # --- drains

    async def open_drain(self, domain_id: int, requested_at: float, deadline: float) -> Drain:
        """Record a drain, or take over the one recorded."""
        change = partial(
            record_changes.open_drain,
            domain_id=domain_id,
            requested_at=requested_at,
            deadline=deadline,
        )
        drain: Drain = await self._write(change)
        return drain

    async def finish_drain(
        self, drain: Drain, left_behind: int = 0, past: PastDrain | None = None
    ) -> bool:
        """Close it if the domain holds no more than was left behind."""
        finished: bool = await self._write(
            partial(record_changes.finish_drain, drain=drain, left_behind=left_behind, past=past)
        )
        return finished

    async def close_drain(self, drain: Drain, past: PastDrain | None = None) -> None:
        """Record that it is over, and how it went."""
        await self._write(partial(record_changes.close_drain, drain=drain, past=past))

    async def past_drains(self) -> Mapping[int, PastDrain]:
        """Return how the last drain of each domain went."""
        return await self._read(reading.past_drains)

    async def open_drains(self) -> list[Drain]:
        """Return the drains recorded and not closed."""
        return await self._read(reading.open_drains)

    # --- audit

    async def record(self, entries: Sequence[AuditEntry]) -> None:
        """Append."""
        await self._write(partial(record_changes.record, entries=entries))

    async def audit(self, wanted: AuditFilter = EVERY_ENTRY, limit: int = 100) -> list[AuditEntry]:
        """Return the newest entries, newest first."""
        return (await self.audit_page(wanted, limit)).entries

    async def audit_page(
        self, wanted: AuditFilter, limit: int, before: int | None = None
    ) -> AuditPage:
        """Return the newest of the entries wanted, or the next older ones."""
        return await self._read(
            partial(reading.audit_page, wanted=wanted, limit=limit, before=before)
        )

    async def last_requests(self) -> Sequence[NodeRequest]:
        """Return when each node was last requested with success; only new entries are read."""
        newest, requests = await self._read(
            partial(reading.granted_requests, after=self._requests_until)
        )
        for request in requests:
            key = (request.node, request.account)
            known = self._requests.get(key)
            if known is None or known.at < request.at:
                self._requests[key] = request
        self._requests_until = max(newest, self._requests_until)
        return [self._requests[key] for key in sorted(self._requests)]
