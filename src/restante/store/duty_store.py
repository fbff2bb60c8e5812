"""The port of a store for work that one process does for all others, such as retention.

Part of the contract in interface.py, whose rules hold here.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from restante.store.store_errors import DutyLost

_Result = TypeVar("_Result")


class DutyStore(Protocol):
    """Gives each of these works to one process at a time."""

    def perform(self, name: str) -> AbstractAsyncContextManager[int]:
        """Do the work of the block while nobody else does the work of this name.

        Waits until nobody does, in this process or in another one on the same store. Leaving the
        block, in whatever way, or the end of the process lets the next one begin. If the duty is
        lost meanwhile, the block is cancelled and raises DutyLost. A store of one process never
        loses one. Yields a number that is one higher each time the duty is given out. A process
        that finds the next number after its own knows that nobody else did the work meanwhile.
        """

    def perform_if_free(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Do the work of the block if nobody does the work of this name now.

        Yields at once whether that is so. If not, the block must leave the work to the other.
        Otherwise it is as with `perform`, which must get other names. Nothing is kept of the name
        afterwards, so it may name one thing of many, such as a domain. Raises StoreError.
        """


async def keep_performing(
    duties: DutyStore, name: str, work: Callable[[], Awaitable[_Result]]
) -> _Result:
    """Do a work to its end; begin it again each time the duty was lost and is ours again.

    The work must read the store again at each beginning: another may have done it meanwhile.
    """
    while True:
        try:
            async with duties.perform(name):
                return await work()
        except DutyLost:
            continue
