"""Values that were used, in the store on SQLite."""

from functools import partial

import apsw

from restante.store.sqlite import used_queries
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.store_core import StoreCore
from restante.store.sqlite.write_transaction import WriteTransaction


class SqliteUsed:
    """A `UsedStore`."""

    def __init__(self, core: StoreCore) -> None:
        self._core = core

    async def use(self, digest: bytes, until: float) -> bool:
        """Note that a value was used; False if it was used before."""
        is_first: bool = await self._core.write(partial(_use, bindings=(digest, until)))
        return is_first

    async def was_used(self, digest: bytes) -> bool:
        """Return whether a value was used."""
        return await self._core.read(partial(_was_used, digest=digest))

    async def trim_used(self, before: float, limit: int) -> int:
        """Forget values that were over before a time."""
        removed: int = await self._core.write(partial(_trim, bindings=(before, limit)))
        return removed


def _use(transaction: WriteTransaction, bindings: tuple[bytes, float]) -> bool:
    transaction.execute(used_queries.ADD, bindings)
    return transaction.connection.changes() == 1


def _was_used(connection: apsw.Connection, digest: bytes) -> bool:
    return bool(fetch(connection, used_queries.PRESENT, (digest,)))


def _trim(transaction: WriteTransaction, bindings: tuple[float, int]) -> int:
    transaction.execute(used_queries.TRIM, bindings)
    return transaction.connection.changes()
