"""Values that were used, in the store on PostgreSQL."""

from typing import Final

from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction

_PRESENT: Final = "SELECT 1 FROM used_value WHERE digest = $1"
ADD: Final = """
    INSERT INTO used_value (digest, until) VALUES ($1, $2)
    ON CONFLICT (digest) DO NOTHING RETURNING 1
"""
_TRIM: Final = """
    DELETE FROM used_value WHERE digest IN (
        SELECT digest FROM used_value WHERE until < $1 LIMIT $2
    )
    RETURNING 1
"""


class PostgresUsed:
    """A `UsedStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def use(self, digest: bytes, until: float) -> bool:
        """Note that a value was used; False if it was used before."""

        async def change(transaction: PostgresTransaction) -> bool:
            return await transaction.has(ADD, digest, until)

        return await self._core.write(change)

    async def was_used(self, digest: bytes) -> bool:
        """Return whether a value was used."""
        return bool(await self._core.fetch(_PRESENT, digest))

    async def trim_used(self, before: float, limit: int) -> int:
        """Forget values that were over before a time."""

        async def change(transaction: PostgresTransaction) -> int:
            return await transaction.count(_TRIM, before, limit)

        return await self._core.write(change)
