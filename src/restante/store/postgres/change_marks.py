"""Marks of changes: after a lost answer, they tell whether the change was made.

Each change adds a row with a number of its own, in its transaction. If the answer to its COMMIT is
lost, the process tries to add the same row again. That waits while the database is still at work on
the first. If the row is there then, the change was made. If not, the row of this second attempt
keeps the first from ever being made.

A commit can be visible before a standby has it. So the second attempt also writes to the row of the
process: once it is committed, everything before it in the log is as durable.
"""

from typing import Final

from restante.store.postgres import node_queries
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import StoreError

_EPOCH_BITS: Final = 32
_TRIMMED_AT_ONCE: Final = 1024  # marks; an answer is missed long before so many more changes


class ChangeMarks:
    """The marks of one process."""

    def __init__(self, epoch: int) -> None:
        """`epoch` is that of its slot: the numbers of its predecessors are below its own."""
        self._last = epoch << _EPOCH_BITS

    async def mark(self, transaction: PostgresTransaction) -> int:
        """Mark a change, and return the number of the mark."""
        self._last += 1
        number = self._last
        await transaction.fetch(node_queries.MARK_CHANGE, transaction.node.id, number)
        if number % _TRIMMED_AT_ONCE == 1:  # the first of a process removes its predecessors'
            place = (transaction.node.id, number - _TRIMMED_AT_ONCE)
            await transaction.fetch(node_queries.FORGET_MARKS, *place)
        return number

    async def was_made(self, transaction: PostgresTransaction, number: int) -> bool:
        """Tell whether a change was made; if not, it never will be. For after the commit."""
        if not await transaction.has(node_queries.TOUCH, *transaction.node):
            raise StoreError("another process has the slot of this one in the database")
        return not await transaction.has(node_queries.MARK_UNLESS_MADE, transaction.node.id, number)
