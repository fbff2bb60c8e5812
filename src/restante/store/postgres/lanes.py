"""Connections to the database, some for each kind of work, so that none waits for another kind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from restante.store.postgres import sqlstate
from restante.store.postgres.database_session import DatabaseSession


class Lane:
    """So many sessions, each used by one at a time; others wait in their order.

    A session is opened when it is first needed, and replaced after it was lost.
    """

    def __init__(self, connect: Callable[[], Awaitable[DatabaseSession]], size: int) -> None:
        self._connect = connect
        self._size = size
        self._turns = asyncio.Semaphore(size)
        self._idle: list[DatabaseSession] = []
        self._renewals = 0

    @asynccontextmanager
    async def session(self) -> AsyncIterator[DatabaseSession]:
        """Have a session for the block. Raises the driver's errors."""
        async with self._turns:
            while self._idle and self._idle[-1].is_lost:
                self._idle.pop()
            renewals = self._renewals
            session = self._idle.pop() if self._idle else await self._connect()
            try:
                yield session
            except Exception as error:
                if sqlstate.is_away(error):  # such as of a primary that is a standby now
                    session.abort()
                raise
            finally:
                if session.is_idle and renewals == self._renewals:
                    self._idle.append(session)
                else:
                    session.abort()

    def renew(self) -> None:
        """Use no session any more that is open now: it may be of a former primary."""
        self._renewals += 1
        for session in self._idle:
            session.abort()
        self._idle.clear()

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """Let nobody use a session during the block."""
        taken = 0
        try:
            for _ in range(self._size):
                await self._turns.acquire()
                taken += 1
            yield
        finally:
            for _ in range(taken):
                self._turns.release()

    async def close(self) -> None:
        """Close the sessions that are idle."""
        for session in self._idle:
            await session.close()
        self._idle.clear()
