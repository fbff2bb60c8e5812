"""The uses of accounts in the store on PostgreSQL."""

from collections.abc import Sequence
from typing import Final

from restante.queue.monthly_use import AccountUse, MonthlyUse, UseMonth
from restante.store.postgres import postgres_used
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.use_store import UseBatch

_ADD: Final = """
    INSERT INTO account_use AS old
        (account, added_at, month, received, received_octets, delivered, octet_seconds)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (account, added_at, month) DO UPDATE SET
        received = old.received + excluded.received,
        received_octets = old.received_octets + excluded.received_octets,
        delivered = old.delivered + excluded.delivered,
        octet_seconds = old.octet_seconds + excluded.octet_seconds
"""
_USES: Final = """
    SELECT account, added_at, month, received, received_octets, delivered, octet_seconds
    FROM account_use
    WHERE (account, added_at, month) > ($1::text COLLATE "C", $2::bigint, $3::integer)
        AND ($4::text IS NULL OR account = $4) AND month BETWEEN $5 AND $6
    ORDER BY account, added_at, month LIMIT $7
"""
_TRIM: Final = """
    DELETE FROM account_use WHERE (account, added_at, month) IN (
        SELECT account, added_at, month FROM account_use WHERE month < $1 LIMIT $2
    )
    RETURNING 1
"""


class PostgresUses:
    """A `UseStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def add_uses(self, uses: Sequence[MonthlyUse], batch: UseBatch | None = None) -> None:
        """Add uses to those of their months, unless this batch was added before."""

        async def change(transaction: PostgresTransaction) -> None:
            if batch is not None and not await transaction.has(postgres_used.ADD, *batch):
                return
            for of, use in sorted(uses):
                await transaction.fetch(_ADD, *of, *use)

        await self._core.write(change)

    async def uses(
        self, account: str | None, months: tuple[int, int], after: UseMonth | None, limit: int
    ) -> list[MonthlyUse]:
        """Return the uses of an account or of all in some months."""
        begin = after or UseMonth(account or "", 0, 0)
        rows = await self._core.fetch(_USES, *begin, account, *months, limit)
        return [MonthlyUse(UseMonth(*row[:3]), AccountUse(*row[3:])) for row in rows]

    async def trim_uses(self, before: int, limit: int) -> int:
        """Remove old uses."""

        async def change(transaction: PostgresTransaction) -> int:
            return await transaction.count(_TRIM, before, limit)

        return await self._core.write(change)
