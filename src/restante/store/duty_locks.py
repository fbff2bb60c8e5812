"""The duties of a store that one process has open: a lock for each."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class DutyLocks:
    """A `DutyStore`. It never loses a duty."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._given_out = Counter[str]()
        self._single: set[str] = set()  # those of `perform_if_free`

    @asynccontextmanager
    async def perform(self, name: str) -> AsyncIterator[int]:
        """Do the work of the block while no other block does that of this name."""
        async with self._locks[name]:
            self._given_out[name] += 1
            yield self._given_out[name]

    @asynccontextmanager
    async def perform_if_free(self, name: str) -> AsyncIterator[bool]:
        """Do the work of the block if no other block does that of this name."""
        if name in self._single:
            yield False
            return
        self._single.add(name)
        try:
            yield True
        finally:
            self._single.discard(name)
