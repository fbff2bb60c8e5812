"""The retention port of the store on PostgreSQL."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from restante.queue.recipient_status import RecipientStatus
from restante.store.postgres import held_mail_changes, mail_statements
from restante.store.postgres.audit_writing import record
from restante.store.postgres.node_numbers import last_number
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.tenancy.audit import AuditEntry

AGED_SECONDS: Final = 3600.0  # from receipt to the number; the index message_aged has the others


class PostgresRetention:
    """A `RetentionStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def expired(
        self, domain_id: int, status: RecipientStatus, before: float, limit: int, after: int = 0
    ) -> list[int]:
        """Return messages with a recipient that has this status since before then, oldest first."""
        values = (domain_id, before, limit, after)
        if status is RecipientStatus.HELD:
            last = last_number(before + AGED_SECONDS)
            rows = await self._core.fetch(mail_statements.EXPIRED_HELD, *values, last)
        else:
            rows = await self._core.fetch(mail_statements.EXPIRED_REFUSED, *values)
        return [number for (number,) in rows]

    async def expire(
        self,
        domain_id: int,
        numbers: Sequence[int],
        status: RecipientStatus,
        before: float,
        audit: AuditEntry,
    ) -> int:
        """Remove the recipients of these messages that have this status since before then."""
        is_held = status is RecipientStatus.HELD
        remove = held_mail_changes.expire_held if is_held else held_mail_changes.expire_refused

        async def change(transaction: PostgresTransaction) -> int:
            expired = await remove(transaction, domain_id, numbers, before, audit.at)
            if expired:
                await record(transaction, [audit])
            return expired

        return await self._core.write(change)

    async def waiting_since(self, domain_id: int, status: RecipientStatus) -> float | None:
        """Return since when the first recipient of a domain with this status has it."""
        is_held = status is RecipientStatus.HELD
        statement = mail_statements.FIRST_HELD if is_held else mail_statements.FIRST_REFUSED
        rows = await self._core.fetch(statement, domain_id)
        return float(rows[0][0]) if rows else None

    async def marks(
        self, kind: str, domain_ids: Sequence[int] | None = None
    ) -> Mapping[int, float]:
        """Return the marks of a kind, by domain id."""
        if domain_ids is None:
            rows = await self._core.fetch(mail_statements.MARKS, kind)
        else:
            rows = await self._core.fetch(mail_statements.MARKS_OF, kind, domain_ids)
        return dict(map(tuple, rows))

    async def keep_mark(self, domain_id: int, kind: str, value: float | None) -> None:
        """Keep a mark; None forgets it."""
        await self._core.write(partial(_keep_mark, domain_id=domain_id, kind=kind, value=value))


async def _keep_mark(
    transaction: PostgresTransaction, domain_id: int, kind: str, value: float | None
) -> None:
    await transaction.check_hosted(domain_id)
    if value is None:
        await transaction.fetch(mail_statements.REMOVE_MARK, domain_id, kind)
    else:
        await transaction.fetch(mail_statements.KEEP_MARK, domain_id, kind, value)
