"""The end of objects: those whose content has left, and those that nobody has.

Both are decided in a transaction that writes. The log of the database is one sequence, so once it
has committed, all that it saw is as durable. A primary that was replaced cannot commit. Otherwise
an object could go whose row comes back.

If a wrong backup of the database was restored, all newer objects look as if nobody had them. So the
database notes when each was first seen without a row. It goes after a grace from then on, whatever
its age. The right database, once restored, has its rows and not these notes.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from restante.store.postgres import node_queries, object_queries
from restante.store.postgres.content_objects import ContentObjects
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import StoreError

_STEP: Final = 64  # objects in one transaction
_TOGETHER: Final = 1000  # names that are noted at once
_STRAY_DIGITS: Final = 15  # of a name, so that the number fits into 63 bits

_Find = Callable[..., Awaitable[list[tuple[int, str]]]]  # of a transaction, `but` some numbers


async def remove_doomed(core: PostgresCore, objects: ContentObjects) -> int:
    """Remove the objects whose content has left; return how many.

    Raises StoreError at the end if some could not be removed, and at once if these are many.
    """
    if not await core.fetch(object_queries.DOOMED, 1, []):  # a look that writes nothing
        return 0
    return await _remove(core, objects, _doomed)


async def remove_strays(core: PostgresCore, objects: ContentObjects, grace: float) -> int:
    """Note the objects that nobody has, and remove those first seen `grace` seconds ago.

    Returns how many were removed. Raises StoreError as `remove_doomed`.
    """
    async for page in objects.listed():
        for start in range(0, len(page), _TOGETHER):
            names = page[start : start + _TOGETHER]
            await core.write(partial(_note, names=names))
    return await _remove(core, objects, partial(_strays, grace=grace))


def stray_number(name: str) -> int:
    """Return the number below zero that a stray object gets, by its name."""
    return -1 - int(name[:_STRAY_DIGITS], 16)


async def _remove(core: PostgresCore, objects: ContentObjects, find: _Find) -> int:
    removed = 0
    left: dict[int, StoreError] = {}
    while rows := await core.write(partial(find, but=list(left))):
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


async def _doomed(transaction: PostgresTransaction, but: list[int]) -> list[tuple[int, str]]:
    await _prove_durable(transaction)
    rows = await transaction.fetch(object_queries.DOOMED, _STEP, but)
    return [(number, name) for number, name in rows]


async def _note(transaction: PostgresTransaction, names: list[str]) -> None:
    await _prove_durable(transaction)
    numbers = [stray_number(name) for name in names]
    await transaction.fetch(object_queries.ADD_STRAYS, numbers, names)


async def _strays(
    transaction: PostgresTransaction, but: list[int], grace: float
) -> list[tuple[int, str]]:
    await _prove_durable(transaction)
    rows = await transaction.fetch(object_queries.STRAYS, _STEP, but, grace)
    return [(number, name) for number, name in rows]


async def _forget(transaction: PostgresTransaction, numbers: list[int]) -> None:
    await transaction.fetch(object_queries.FORGET, numbers)


async def _prove_durable(transaction: PostgresTransaction) -> None:
    """Write this process's row, so that the commit proves what this transaction sees."""
    if not await transaction.has(node_queries.TOUCH, *transaction.node):
        raise StoreError("another process has the slot of this one in the database")
