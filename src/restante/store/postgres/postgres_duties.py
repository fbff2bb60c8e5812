"""The duties of processes that share a store on PostgreSQL: a row for each, with its owner.

An owner whose lease has ended loses its duties to the first that asks. It stops by itself before
that: each second it looks at its own lease.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from restante.store.duty_locks import DutyLocks
from restante.store.postgres.cluster_node import BEAT
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import DutyLost, StoreError, StoreUnreachable

_CLAIM: Final = """
    INSERT INTO duty AS old (name, number, owner, owner_epoch) VALUES ($1, 1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET
        number = old.number + 1, owner = excluded.owner, owner_epoch = excluded.owner_epoch
    WHERE old.owner IS NULL OR (old.owner = $2 AND old.owner_epoch = $3) OR NOT EXISTS (
        SELECT 1 FROM node
        WHERE node.id = old.owner AND node.epoch = old.owner_epoch AND (
            node.expires_at > clock_timestamp()
            OR (NOT $4::boolean AND node.expires_at > '-infinity')
        )
    )
    RETURNING number
"""
_GIVE_BACK: Final = """
    UPDATE duty SET owner = NULL, owner_epoch = NULL
    WHERE name = $1 AND owner = $2 AND owner_epoch = $3
"""
_FORGET: Final = "DELETE FROM duty WHERE name = $1 AND owner = $2 AND owner_epoch = $3"


class PostgresDuties:
    """A `DutyStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core
        self._here = DutyLocks()  # the row has no place for two blocks of one process

    @asynccontextmanager
    async def perform(self, name: str) -> AsyncIterator[int]:
        """Do the work of the block while nobody else does the work of this name."""
        async with self._here.perform(name):
            number = await self._claimed(name)
            async with self._watched(name, _GIVE_BACK):
                yield number

    @asynccontextmanager
    async def perform_if_free(self, name: str) -> AsyncIterator[bool]:
        """Do the work of the block if nobody does the work of this name now."""
        async with self._here.perform_if_free(name) as is_free_here:
            if not is_free_here:
                yield False
                return
            if self._core.node.lease_left() <= 0:
                raise StoreUnreachable("the lease of this server is over")
            if await self._claim(name) is None:
                yield False
                return
            async with self._watched(name, _FORGET):
                yield True

    @asynccontextmanager
    async def _watched(self, name: str, give_back: str) -> AsyncIterator[None]:
        """Cancel the block if the duty is lost, and give it back afterwards."""
        watch = _Watch(self._core)
        try:
            yield
        except asyncio.CancelledError:
            if watch.is_lost:
                raise DutyLost(f"the duty {name} is another process's now") from None
            raise
        finally:
            watch.end()
            with suppress(StoreError):  # the lease ends by itself
                await self._give_back(name, give_back)

    async def _claimed(self, name: str) -> int:
        """Wait until the duty is free, and take it.

        A database that is away is waited for too: a server without the duty must survive that.
        """
        while True:
            try:
                number = await self._claim(name)
            except StoreError:
                self._core.check()  # raises if this process cannot go on
                number = None
            if number is not None:
                return number
            await self._core.node.next_beat()

    async def _claim(self, name: str) -> int | None:
        node = self._core.node

        async def change(transaction: PostgresTransaction) -> int | None:
            rows = await transaction.fetch(_CLAIM, name, *transaction.node, node.may_judge)
            return int(rows[0][0]) if rows else None

        if node.lease_left() <= 0:
            return None
        return await self._core.write(change, SessionKind.DRAINS)

    async def _give_back(self, name: str, statement: str) -> None:
        async def change(transaction: PostgresTransaction) -> None:
            await transaction.fetch(statement, name, *transaction.node)

        await self._core.write(change, SessionKind.DRAINS)


class _Watch:
    """Cancels the task that has a duty when the lease of the process ends."""

    def __init__(self, core: PostgresCore) -> None:
        self.is_lost = False
        self._core = core
        self._task = asyncio.current_task()
        self._timer = self._later()

    def end(self) -> None:
        """Look no more."""
        self._timer.cancel()

    def _later(self) -> asyncio.TimerHandle:
        wait = max(0.05, min(BEAT, self._core.node.lease_left()))
        return asyncio.get_running_loop().call_later(wait, self._look)

    def _look(self) -> None:
        if self._core.node.lease_left() <= 0 or self._core.node.failure:
            self.is_lost = True
            if self._task is not None:
                self._task.cancel()
        else:
            self._timer = self._later()
