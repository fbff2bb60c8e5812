"""The schedule port of the store on SQLite."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import apsw

from restante.store.schedule_store import PAGE
from restante.store.sqlite import audit_queries, record_changes, record_queries, schedule_queries
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.store_core import StoreCore
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.store_errors import Conflict
from restante.store.stored_form.record_rows import (
    hosted_domain,
)
from restante.store.stored_form.rows import audit_row
from restante.store.stored_form.schedule_rows import (
    destination_texts,
    scheduled_change,
    scheduled_row,
)
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import HostedDomain
from restante.tenancy.scheduled_change import ScheduledChange


class SqliteSchedule:
    """A `ScheduleStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def schedule_change(self, change: ScheduledChange, audit: AuditEntry) -> ScheduledChange:
        """Keep a change, and return it with its id."""
        number: int = await self._core.write(partial(_keep, change=change, audit=audit))
        return replace(change, id=number)

    async def waiting_changes(
        self, *, domain_id: int | None = None, after: int = 0, limit: int = PAGE
    ) -> Sequence[ScheduledChange]:
        """Return those that wait, by id."""
        return await self._core.read(
            partial(_waiting, domain_id=domain_id, after=after, limit=limit)
        )

    async def note_announced(self, ids: Sequence[int]) -> None:
        """Record that notices about these changes are stored."""
        await self._core.write(partial(_note_announced, ids=ids))

    async def postpone_change(self, change_id: int, applies_at: float) -> None:
        """Give a change another time."""
        await self._core.write(partial(_postpone, change_id=change_id, applies_at=applies_at))

    async def replace_seals(self, change: ScheduledChange) -> None:
        """Keep the destinations of a change, sealed under another key."""
        await self._core.write(partial(_replace_seals, change=change))

    async def drop_change(self, change_id: int, audit: AuditEntry) -> bool:
        """Forget a change without applying it."""
        dropped: bool = await self._core.write(partial(_drop, change_id=change_id, audit=audit))
        return dropped

    async def apply_change(
        self, change_id: int, present: HostedDomain, wanted: HostedDomain, audit: AuditEntry
    ) -> bool:
        """Replace the domain and forget the change."""
        applied: bool = await self._core.write(
            partial(_apply, change_id=change_id, present=present, wanted=wanted, audit=audit)
        )
        return applied


def _keep(transaction: WriteTransaction, change: ScheduledChange, audit: AuditEntry) -> int:
    transaction.ledger.check_hosted(change.domain_id)
    parts = (change.destination is not None, change.authorized_hosts is not None)
    if transaction.execute(schedule_queries.IN_THE_WAY, (change.domain_id, *parts)):
        raise Conflict(f"a change of the {change.parts_text} waits already")
    transaction.execute(schedule_queries.KEEP, scheduled_row(change))
    number = transaction.connection.last_insert_rowid()
    transaction.execute(audit_queries.RECORD, audit_row(audit))
    return number


def _waiting(
    connection: apsw.Connection, domain_id: int | None, after: int, limit: int
) -> list[ScheduledChange]:
    if domain_id is None:
        rows = fetch(connection, schedule_queries.ALL, (after, limit))
    else:
        rows = fetch(connection, schedule_queries.OF_DOMAIN, (domain_id, after, limit))
    return [scheduled_change(row) for row in rows]


def _note_announced(transaction: WriteTransaction, ids: Sequence[int]) -> None:
    transaction.execute(schedule_queries.NOTE_ANNOUNCED, (json.dumps(list(ids)),))


def _postpone(transaction: WriteTransaction, change_id: int, applies_at: float) -> None:
    transaction.execute(schedule_queries.POSTPONE, (applies_at, change_id))


def _replace_seals(transaction: WriteTransaction, change: ScheduledChange) -> None:
    bindings = (*destination_texts(change), change.id)
    transaction.execute(schedule_queries.REPLACE_DESTINATIONS, bindings)


def _drop(transaction: WriteTransaction, change_id: int, audit: AuditEntry) -> bool:
    if not transaction.execute(schedule_queries.IS_WAITING, (change_id,)):
        return False
    transaction.execute(schedule_queries.FORGET, (change_id,))
    transaction.execute(audit_queries.RECORD, audit_row(audit))
    return True


def _apply(
    transaction: WriteTransaction,
    change_id: int,
    present: HostedDomain,
    wanted: HostedDomain,
    audit: AuditEntry,
) -> bool:
    if not transaction.execute(schedule_queries.IS_WAITING, (change_id,)):
        return False
    rows = transaction.execute(record_queries.DOMAINS_BY_ID, (json.dumps([present.id]),))
    if [hosted_domain(row) for row in rows] != [present]:
        raise Conflict(f"the record of domain {present.name} has changed")
    record_changes.put_domain(transaction, wanted, audit)
    transaction.execute(schedule_queries.FORGET, (change_id,))
    return True
