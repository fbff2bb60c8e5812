"""The kinds of work that each have sessions of their own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from enum import Enum, auto
from typing import Final

from restante.store.postgres.database_session import DatabaseSession
from restante.store.postgres.host_choice import HostOrder
from restante.store.postgres.lanes import Lane


class SessionKind(Enum):
    """The kinds of work. A kind with one session is done in order."""

    HOLDING = auto()
    SETTLING = auto()
    DRAINS = auto()  # opened, taken over, closed
    WORK = auto()  # of people and of sweeps
    SPOOLING = auto()
    READING = auto()
    READING_APART = auto()  # for requests of people
    NODE = auto()  # heartbeat


_SIZES: Final = {
    SessionKind.HOLDING: 2,
    SessionKind.SETTLING: 2,
    SessionKind.DRAINS: 1,
    SessionKind.WORK: 1,
    SessionKind.SPOOLING: 2,
    SessionKind.READING: 2,
    SessionKind.READING_APART: 2,
    SessionKind.NODE: 1,
}


_CHANGING: Final = (
    SessionKind.HOLDING,
    SessionKind.SETTLING,
    SessionKind.DRAINS,
    SessionKind.WORK,
)


class LaneSet:
    """A lane of each kind."""

    def __init__(
        self, connect: Callable[[], Awaitable[DatabaseSession]], hosts: HostOrder | None = None
    ) -> None:
        """`hosts` is the order in which `connect` tries them."""
        self._hosts = hosts
        self._lanes = {kind: Lane(connect, size) for kind, size in _SIZES.items()}
        self.is_closed = False

    def __getitem__(self, kind: SessionKind) -> Lane:
        """Return the lane of a kind."""
        return self._lanes[kind]

    def leave_host(self, session: DatabaseSession) -> None:
        """End a session, and try its host last from now on: no commit on it has an answer."""
        session.abort()
        if self._hosts is not None:
            self._hosts.put_last(session.host_url)

    def renew(self) -> None:
        """Replace all sessions except that of the heartbeat."""
        for kind, lane in self._lanes.items():
            if kind is not SessionKind.NODE:
                lane.renew()

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """Let nobody change anything during the block."""
        async with AsyncExitStack() as stack:
            for kind in _CHANGING:
                await stack.enter_async_context(self._lanes[kind].quiet())
            yield

    async def close(self) -> None:
        """Close all sessions, which are idle."""
        for lane in self._lanes.values():
            await lane.close()
