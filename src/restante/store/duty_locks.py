"""The duties of a store that one process has open: a lock for each."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class DutyLocks:
    """A `DutyStore`. It never loses a duty."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def perform(self, name: str) -> AsyncIterator[None]:
        """Do the work of the block while no other block does that of this name."""
        async with self._locks[name]:
            yield
