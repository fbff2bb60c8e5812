"""The changes that wait for their time, in the store on PostgreSQL."""

# ruff: noqa: S608  what is joined here are constants; every value is bound

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from restante.store.postgres import record_statements, record_writing
from restante.store.postgres.audit_writing import record
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.schedule_store import PAGE
from restante.store.store_errors import Conflict
from restante.store.stored_form.record_rows import hosted_domain
from restante.store.stored_form.schedule_rows import (
    destination_texts,
    scheduled_change,
    scheduled_row,
)
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import HostedDomain
from restante.tenancy.scheduled_change import ScheduledChange

_COLUMNS: Final = (
    "domain_id, domain, account, maker, acted_from, token, portal_user, made_at, applies_at,"
    " former_destination, wanted_destination, former_hosts, wanted_hosts, reason, is_announced"
)
_WAITING: Final = f"""
    SELECT id, {_COLUMNS} FROM scheduled_change
    WHERE ($1::integer IS NULL OR domain_id = $1) AND id > $2 ORDER BY id LIMIT $3
"""
_KEEP: Final = f"""
    INSERT INTO scheduled_change ({_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id
"""
_IN_THE_WAY: Final = """
    SELECT 1 FROM scheduled_change
    WHERE domain_id = $1 AND (
        ($2::boolean AND wanted_destination IS NOT NULL)
        OR ($3::boolean AND wanted_hosts IS NOT NULL)
    )
"""
_NOTE_ANNOUNCED: Final = """
    UPDATE scheduled_change SET is_announced = 1 WHERE id = ANY($1::bigint[])
"""
_POSTPONE: Final = "UPDATE scheduled_change SET applies_at = $1 WHERE id = $2"
_REPLACE_DESTINATIONS: Final = """
    UPDATE scheduled_change SET former_destination = $1, wanted_destination = $2 WHERE id = $3
"""
_LOCK: Final = "SELECT 1 FROM scheduled_change WHERE id = $1 FOR UPDATE"
_FORGET: Final = "DELETE FROM scheduled_change WHERE id = $1 RETURNING 1"
# Of two changes of a domain, the second waits for the first to be stored.
_LOCK_DOMAIN: Final = "SELECT 1 FROM domain WHERE id = $1 FOR NO KEY UPDATE"


class PostgresSchedule:
    """A `ScheduleStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def schedule_change(self, change: ScheduledChange, audit: AuditEntry) -> ScheduledChange:
        """Keep a change, and return it with its id."""
        number = await self._core.write(partial(_keep, change=change, audit=audit))
        return replace(change, id=number)

    async def waiting_changes(
        self, *, domain_id: int | None = None, after: int = 0, limit: int = PAGE
    ) -> Sequence[ScheduledChange]:
        """Return those that wait, by id."""
        rows = await self._core.fetch(_WAITING, domain_id, after, limit)
        return [scheduled_change(tuple(row)) for row in rows]

    async def note_announced(self, ids: Sequence[int]) -> None:
        """Record that notices about these changes are stored."""

        async def change(transaction: PostgresTransaction) -> None:
            await transaction.fetch(_NOTE_ANNOUNCED, ids)

        await self._core.write(change)

    async def postpone_change(self, change_id: int, applies_at: float) -> None:
        """Give a change another time."""

        async def change(transaction: PostgresTransaction) -> None:
            await transaction.fetch(_POSTPONE, applies_at, change_id)

        await self._core.write(change)

    async def replace_seals(self, change: ScheduledChange) -> None:
        """Keep the destinations of a change, sealed under another key."""

        async def replacement(transaction: PostgresTransaction) -> None:
            texts = destination_texts(change)
            await transaction.fetch(_REPLACE_DESTINATIONS, *texts, change.id)

        await self._core.write(replacement)

    async def drop_change(self, change_id: int, audit: AuditEntry) -> bool:
        """Forget a change without applying it."""

        async def change(transaction: PostgresTransaction) -> bool:
            is_there = await transaction.has(_FORGET, change_id)
            if is_there:
                await record(transaction, [audit])
            return is_there

        return await self._core.write(change)

    async def apply_change(
        self, change_id: int, present: HostedDomain, wanted: HostedDomain, audit: AuditEntry
    ) -> bool:
        """Replace the domain and forget the change."""
        change = partial(_apply, change_id=change_id, present=present, wanted=wanted, audit=audit)
        return await self._core.write(change)


async def _keep(
    transaction: PostgresTransaction, change: ScheduledChange, audit: AuditEntry
) -> int:
    if not await transaction.has(_LOCK_DOMAIN, change.domain_id):
        raise Conflict(f"domain {change.domain_id} no longer exists")
    parts = (change.destination is not None, change.authorized_hosts is not None)
    if await transaction.has(_IN_THE_WAY, change.domain_id, *parts):
        raise Conflict(f"a change of the {change.parts_text} waits already")
    [(number,)] = await transaction.fetch(_KEEP, *scheduled_row(change))
    await record(transaction, [audit])
    return int(number)


async def _apply(
    transaction: PostgresTransaction,
    change_id: int,
    present: HostedDomain,
    wanted: HostedDomain,
    audit: AuditEntry,
) -> bool:
    if not await transaction.has(_LOCK, change_id):
        return False
    await transaction.fetch(_LOCK_DOMAIN, present.id)
    rows = await transaction.fetch(record_statements.DOMAINS_BY_ID, [present.id])
    if [hosted_domain(tuple(row)) for row in rows] != [present]:
        raise Conflict(f"the record of domain {present.name} has changed")
    await record_writing.put_domain(transaction, wanted, audit)
    await transaction.fetch(_FORGET, change_id)
    return True
