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
    """Remove the objects whose content has left; return how many.

    Raises StoreError at the end if some could not be removed, and at once if these are many.
    """
    removed = 0
    left: dict[int, StoreError] = {}
    while rows := await core.write(partial(_doomed, but=list(left))):
        failures = await objects.delete([name for _, name in rows])
        numbers = [number for number, name in rows if name not in failures]
        if numbers:
            await core.write(partial(_forget, numbers=numbers))
        removed += len(numbers)
        left |= {number: failures[name] for number, name in rows if name in failures}
        if len(left) >= _STEP:
            break
    if left:
        raise next(iter(left.values()))
    return removed


async def remove_orphans(core: PostgresCore, objects: ContentObjects, before: float) -> int:
    """Remove objects older than that without a row; return how many.

    Raises StoreError as `remove_doomed`.
    """
    removed = 0
    left: dict[str, StoreError] = {}
    async for page in objects.listed():
        old = [one.name for one in page if one.modified_at < before]
        for start in range(0, len(old), _TOGETHER):
            some = old[start : start + _TOGETHER]
            known = await core.write(partial(_known, names=some))
            orphans = [name for name in some if name not in known]
            failures = await objects.delete(orphans)
            removed += len(orphans) - len(failures)
            left |= failures
            if len(left) >= _STEP:
                raise next(iter(left.values()))
    if left:
        raise next(iter(left.values()))
    return removed


async def _doomed(transaction: PostgresTransaction, but: list[int]) -> list[tuple[int, str]]:
    await _prove_durable(transaction)
    rows = await transaction.fetch(object_queries.DOOMED, _STEP, but)
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
