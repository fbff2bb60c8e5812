"""The end of objects: those whose content has left, and those that nobody has.

Both are decided in a transaction that writes. The log of the database is one sequence, so once it
has committed, all that it saw is as durable. A primary that was replaced cannot commit. Otherwise
an object could go whose row comes back.
"""

from functools import partial
from typing import Final

from restante.store.postgres import node_queries, object_queries
from restante.store.postgres.content_objects import ContentObjects
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import StoreError

_STEP: Final = 64  # objects in one transaction
_TOGETHER: Final = 1000  # names that are looked up at once


async def remove_doomed(core: PostgresCore, objects: ContentObjects) -> int:
    """Remove the objects whose content has left; return how many. Raises StoreError."""
    removed = 0
    while rows := await core.write(_doomed):
        await objects.delete([name for _, name in rows])
        numbers = [number for number, _ in rows]
        await core.write(partial(_forget, numbers=numbers))
        removed += len(rows)
    return removed


async def remove_orphans(core: PostgresCore, objects: ContentObjects, before: float) -> int:
    """Remove objects older than that without a row; return how many. Raises StoreError."""
    removed = 0
    async for page in objects.listed():
        old = [one.name for one in page if one.modified_at < before]
        for start in range(0, len(old), _TOGETHER):
            some = old[start : start + _TOGETHER]
            known = await core.write(partial(_known, names=some))
            orphans = [name for name in some if name not in known]
            await objects.delete(orphans)
            removed += len(orphans)
    return removed


async def _doomed(transaction: PostgresTransaction) -> list[tuple[int, str]]:
    await _prove_durable(transaction)
    rows = await transaction.fetch(object_queries.DOOMED, _STEP)
    return [(number, name) for number, name in rows]


async def _known(transaction: PostgresTransaction, names: list[str]) -> set[str]:
    await _prove_durable(transaction)
    return {name for (name,) in await transaction.fetch(object_queries.KNOWN, names)}


async def _forget(transaction: PostgresTransaction, numbers: list[int]) -> None:
    await transaction.fetch(object_queries.FORGET, numbers)


async def _prove_durable(transaction: PostgresTransaction) -> None:
    """Write the own row, so that the commit proves what this transaction sees."""
    if not await transaction.has(node_queries.TOUCH, *transaction.node):
        raise StoreError("another process has the slot of this one in the database")
