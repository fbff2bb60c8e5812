"""The uses port of the store on SQLite."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import apsw

from restante.queue.monthly_use import AccountUse, MonthlyUse, UseMonth
from restante.store.sqlite import used_queries
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.store_core import StoreCore
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.use_store import UseBatch

_ADD: Final = """
    INSERT INTO account_use
        (account, added_at, month, received, received_octets, delivered, octet_seconds)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        received = received + excluded.received,
        received_octets = received_octets + excluded.received_octets,
        delivered = delivered + excluded.delivered,
        octet_seconds = octet_seconds + excluded.octet_seconds
"""
_USES: Final = """
    SELECT account, added_at, month, received, received_octets, delivered, octet_seconds
    FROM account_use
    WHERE (account, added_at, month) > (?1, ?2, ?3) AND (?4 IS NULL OR account = ?4)
        AND month BETWEEN ?5 AND ?6
    ORDER BY account, added_at, month LIMIT ?7
"""
_TRIM: Final = """
    DELETE FROM account_use WHERE (account, added_at, month) IN (
        SELECT account, added_at, month FROM account_use WHERE month < ? LIMIT ?
    )
"""


class SqliteUses:
    """A `UseStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def add_uses(self, uses: Sequence[MonthlyUse], batch: UseBatch | None = None) -> None:
        """Add uses to those of their months, unless this batch was added before."""
        await self._core.write(partial(_add, uses=uses, batch=batch))

    async def uses(
        self, account: str | None, months: tuple[int, int], after: UseMonth | None, limit: int
    ) -> list[MonthlyUse]:
        """Return the uses of an account or of all in some months."""
        begin = after or UseMonth(account or "", 0, 0)
        return await self._core.read(partial(_uses, bindings=(*begin, account, *months, limit)))

    async def trim_uses(self, before: int, limit: int) -> int:
        """Remove old uses."""
        removed: int = await self._core.write(partial(_trim, bindings=(before, limit)))
        return removed


def _add(transaction: WriteTransaction, uses: Sequence[MonthlyUse], batch: UseBatch | None) -> None:
    if batch is not None:
        transaction.execute(used_queries.ADD, batch)
        if not transaction.connection.changes():
            return
    for of, use in uses:
        transaction.execute(_ADD, (*of, *use))


def _trim(transaction: WriteTransaction, bindings: tuple[int, int]) -> int:
    transaction.execute(_TRIM, bindings)
    return transaction.connection.changes()


def _uses(connection: apsw.Connection, bindings: tuple[object, ...]) -> list[MonthlyUse]:
    return [
        MonthlyUse(UseMonth(*row[:3]), AccountUse(*row[3:]))
        for row in fetch(connection, _USES, bindings)
    ]
