"""Keys of sealed content, in the store on PostgreSQL."""

from collections.abc import Collection, Mapping

from restante.store.key_store import SealedKeys
from restante.store.postgres import key_statements, object_queries
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import StoreMismatched


class PostgresKeys:
    """A `KeyStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    async def data_keys(self, domain_ids: Collection[int]) -> SealedKeys:
        """Return the keys of these domains, of those that have one."""
        rows = await self._core.fetch(key_statements.OF_DOMAINS, list(domain_ids))
        return {domain_id: (bytes(sealed),) for domain_id, sealed in rows}

    async def data_keys_after(self, domain_id: int, limit: int) -> SealedKeys:
        """Return the keys of the next domains, in the order of their ids."""
        rows = await self._core.fetch(key_statements.NEXT, domain_id, limit)
        return {domain_id: (bytes(sealed),) for domain_id, sealed in rows}

    async def keep_data_keys(self, new: Mapping[int, bytes]) -> None:
        """Keep new keys for domains that have none."""
        in_order = sorted(new.items())

        async def change(transaction: PostgresTransaction) -> None:
            await transaction.fetch(
                key_statements.KEEP,
                [one for one, _ in in_order],
                [sealed for _, sealed in in_order],
            )

        await self._core.write(change)

    async def replace_data_keys(self, again: Mapping[int, tuple[bytes, bytes]]) -> int:
        """Replace keys by the same ones, sealed again; return how many."""

        async def change(transaction: PostgresTransaction) -> int:
            replaced = [
                await transaction.has(key_statements.REPLACE, domain_id, old, new)
                for domain_id, (old, new) in sorted(again.items())
            ]
            return sum(replaced)

        return await self._core.write(change)

    async def begin_sealing(self) -> None:
        """Keep programs away that cannot open sealed content, unless one is running."""

        async def change(transaction: PostgresTransaction) -> str:
            [(oldest,)] = await transaction.fetch(key_statements.OLDEST)
            if oldest >= key_statements.OPENS_SEALED:
                return ""
            others = await transaction.fetch(key_statements.OTHERS, transaction.node.id)
            if not others:
                await transaction.fetch(object_queries.EXCLUDE_OLDER, key_statements.OPENS_SEALED)
            return ", ".join(name for (name,) in others)

        others = await self._core.write(change)
        if others:
            raise StoreMismatched(
                "seal_content: servers of another version have this store, and could not read"
                f" sealed mail: {others}; upgrade them first"
            )
