"""The common core of the ports on SQLite: its writer, its readers, its files."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import apsw

from restante.mail.message import ContentFile, MessageNumbers
from restante.store.account_sums import AccountSums
from restante.store.content_store import OnDamage
from restante.store.drain_book import DrainRecord
from restante.store.figure_store import DomainUsage
from restante.store.sqlite import mail_changes, mail_reading
from restante.store.sqlite.ledger import LedgerBalance
from restante.store.sqlite.opening import StoreParts
from restante.store.sqlite.write_transaction import SqliteChange
from restante.store.sqlite.writer import StoreWriter
from restante.store.store_errors import StoreError

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class LatestFigures:
    """The figures as of the last commit."""

    usages: dict[int, DomainUsage] = field(default_factory=dict)  # by domain id, of those with mail
    accounts: AccountSums = field(default_factory=AccountSums)
    numbers: MessageNumbers = field(default_factory=MessageNumbers)  # for new messages
    drains: dict[int, DrainRecord] = field(default_factory=dict)  # the open ones, by domain id

    def take(self, balance: LedgerBalance) -> None:
        """Work in the figures of a commit."""
        for domain_id, usage in balance.usages.items():
            if usage.messages:
                self.usages[domain_id] = usage
            else:
                self.usages.pop(domain_id, None)
        self.accounts.take(balance.usages, balance.accounts)
        self.numbers.pass_over(balance.last_number)
        for domain_id, record in balance.drains.items():
            if record is None:
                self.drains.pop(domain_id, None)
            else:
                self.drains[domain_id] = record


class StoreCore:
    """Writes and reads for the parts. Belongs to the event loop on which it was opened."""

    def __init__(self, parts: StoreParts, on_damage: OnDamage) -> None:
        self.path = parts.place.path  # of the database
        self.vfs = parts.place.vfs
        self.health = parts.health
        self.files = parts.files
        self.in_use = parts.in_use
        self.readers = parts.readers
        self._readers_apart = parts.readers_apart
        self.is_apart = False
        self._others: list[StoreCore] = []
        self.is_proven = parts.is_proven
        self.latest = LatestFigures()
        self.latest.take(parts.writing.ledger.balance_of_all())
        self._lock = parts.place.lock
        self._on_damage = on_damage
        self.is_closed = False
        self.change_listeners: list[Callable[[], None]] = []  # shared with a core apart
        self.writer = StoreWriter(
            parts.writing,
            parts.health,
            in_use=parts.in_use,
            announce=self._take,
            remove_files=parts.files.remove,
        )

    def _take(self, balance: LedgerBalance) -> None:
        self.latest.take(balance)
        if balance.has_new_records:
            for listener in self.change_listeners:
                listener()

    def apart(self) -> "StoreCore":
        """Return a core of the same data, whose reads have threads of their own.

        It is closed with this one.
        """
        other = copy(self)
        other.readers, other.is_apart = self._readers_apart, True
        self._others.append(other)
        return other

    def read_content(self, file: ContentFile) -> AsyncGenerator[bytes, None]:
        """Yield a content file in blocks. Raises Damaged, StoreError."""
        return self.files.read(file, is_apart=self.is_apart)

    async def write(self, change: SqliteChange) -> Any:
        """Make a change. Raises StoreError."""
        self.check()
        return await self.writer.submit(change)

    async def read(self, question: Callable[[apsw.Connection], _Answer]) -> _Answer:
        """Ask something. Raises StoreError."""
        self.check()
        return await self.readers.ask(question)

    def check(self) -> None:
        """Raise StoreError if the store is closed, or must be opened again."""
        if self.is_closed:
            raise StoreError("the store is closed")
        self.health.check()

    async def park(self, damaged: Sequence[mail_reading.UnreadableMessage]) -> None:
        """Refuse the recipients of damaged messages, and report it; failures are retried later."""
        for damage in damaged:
            change = partial(
                mail_changes.park_damaged, number=damage.number, text=damage.text, at=time.time()
            )
            is_new = True
            with suppress(StoreError):
                is_new = await self.write(change)
            if is_new:
                self._on_damage(damage.number, damage.text, damage.domain_id)

    async def close(self) -> None:
        """Finish what was begun and let go of the data."""
        if self.is_closed:
            return
        for core in (self, *self._others):
            core.is_closed = True
        await asyncio.to_thread(self._readers_apart.close)
        await asyncio.to_thread(
            self.readers.close
        )  # first: the last connection to go is the one that may checkpoint
        await self.writer.close()
        await asyncio.to_thread(self.files.close)
        self.in_use.close()
        self._lock.release()
