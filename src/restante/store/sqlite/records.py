"""The part of the store that keeps the operator's records and the known mailboxes."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import apsw

from restante.store.sqlite import reading, record_changes
from restante.store.sqlite.record_memory import RecordMemory
from restante.store.sqlite.write_transaction import Change
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import Account, Directory, HostedDomain, Login
from restante.tenancy.recipients import Recipient

_Answer = TypeVar("_Answer")


class SqliteRecords:
    """A `TenancyStore` and `RecipientStore` on what the whole store has: a writer and readers."""

    _record_memory: RecordMemory

    @abstractmethod
    async def _write(self, change: Change) -> Any:
        """Make a change."""

    @abstractmethod
    async def _read(self, question: Callable[[apsw.Connection], _Answer]) -> _Answer:
        """Ask something."""

    async def directory(self) -> Directory:
        """Return all records at the present change number."""
        return await self._read(partial(reading.directory, memory=self._record_memory))

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
        stored: HostedDomain = await self._write(
            partial(record_changes.put_domain, domain=domain, audit=audit)
        )
        return stored

    async def remove_domain(self, domain_id: int, audit: AuditEntry) -> None:
        """Remove it and what drain it has. Raises Conflict while it holds mail."""
        await self._write(partial(record_changes.remove_domain, domain_id=domain_id, audit=audit))

    async def recipients(
        self, domain_id: int, after: Recipient | None, limit: int
    ) -> list[Recipient]:
        """Return some of a domain's recipients by source and name."""
        return await self._read(
            partial(reading.recipients, domain_id=domain_id, after=after, limit=limit)
        )

    async def change_list(
        self, domain_id: int, added: Sequence[str], dropped: Sequence[str], audit: AuditEntry
    ) -> None:
        """Change a domain's list."""
        change = partial(
            record_changes.change_list,
            domain_id=domain_id,
            added=added,
            dropped=dropped,
            audit=audit,
        )
        await self._write(change)

    async def learn(self, domain_id: int, lessons: Sequence[Recipient]) -> None:
        """Keep what a destination said of mailboxes."""
        await self._write(partial(record_changes.learn, domain_id=domain_id, lessons=lessons))
