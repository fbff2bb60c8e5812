"""How many HTTP connections one service has at once, and which of them makes room.

Without a limit, idle connections to the metrics port or the control socket take every descriptor of
the process, and no SMTP session can begin. At the limit the oldest connection that has no request
under way is closed for the new one. So a crowd of idle connections keeps nobody out: a client that
sends its request at once is served. Where none is idle, the oldest that yields is closed: one whose
request is a stranger's, or whose client takes nothing of its answer. Only where every connection
has a request under way and none yields, the new one is turned away. A service may limit the
connections of one address block in the same way.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import chain
from typing import Protocol


class HttpService(StrEnum):
    """The HTTP services."""

    CONTROL = "control"
    METRICS = "metrics"
    WEB = "web"
    ACME = "acme"


class ConnectionCut(StrEnum):
    """Why a connection was closed without an answer."""

    TOO_MANY = "too-many-connections"
    TOO_MANY_FROM_BLOCK = "too-many-per-block"
    STRANGER = "too-many-of-stranger"
    NO_REQUEST = "no-request"  # in time
    TOO_SLOW = "answer-not-taken"  # in time
    TLS_FAILED = "tls-failed"


class HttpConnection(Protocol):
    """The part of a connection that `HttpConnections` needs."""

    def cut(self) -> None:
        """Close it at once, even with unsent data."""


class HttpConnections:
    """Counts the connections of one service. Belongs to the event loop."""

    def __init__(
        self,
        service: HttpService,
        limit: int,
        block_limit: int | None = None,
        turns_away: Callable[[int], bool] = lambda _block: False,
    ) -> None:
        """`limit` is for all sockets of this service together, `block_limit` for a block of it.

        A new connection of a block that `turns_away` is never admitted.
        """
        self.service = service
        self.limit = limit
        self.block_limit = limit if block_limit is None else block_limit
        self._turns_away = turns_away
        self._idle: dict[HttpConnection, None] = {}  # no request under way; the oldest first
        self._busy: set[HttpConnection] = set()
        self._yielding: dict[HttpConnection, None] = {}  # busy, but may be closed; the oldest first
        self._blocks: dict[HttpConnection, int] = {}  # of those that count for an address block
        self._in_block: Counter[int] = Counter()
        self._closed: Counter[ConnectionCut] = Counter()
        self._none_busy = asyncio.Event()
        self._none_busy.set()

    @property
    def count(self) -> int:
        """Connections open now."""
        return len(self._idle) + len(self._busy)

    def admits(self, connection: HttpConnection, block: int | None = None) -> bool:
        """Admit a new connection, if necessary in place of another; False: it must close.

        `block` is the key of its address block; None: no limit of blocks holds for it.
        """
        if block is not None and self._turns_away(block):
            self._closed[ConnectionCut.STRANGER] += 1
            return False
        if block is not None and self._in_block[block] >= self.block_limit:
            mine = (each for each in self._closable() if self._blocks.get(each) == block)
            if not self._make_room(next(mine, None), ConnectionCut.TOO_MANY_FROM_BLOCK):
                return False
        if self.count >= self.limit and not self._make_room(
            next(self._closable(), None), ConnectionCut.TOO_MANY
        ):
            return False
        self._idle[connection] = None
        if block is not None:
            self._blocks[connection] = block
            self._in_block[block] += 1
        return True

    def _closable(self) -> Iterator[HttpConnection]:
        """Return those that may be closed for a new one, in the order in which they are."""
        return chain(self._idle, self._yielding)

    def _make_room(self, oldest: HttpConnection | None, cause: ConnectionCut) -> bool:
        """Close a connection for a new one; without one, the new one is closed."""
        self._closed[cause] += 1
        if oldest is None:
            return False
        self.left(oldest)
        oldest.cut()
        return True

    def began(self, connection: HttpConnection) -> None:
        """Record that it has sent a request."""
        if connection in self._idle:
            del self._idle[connection]
            self._busy.add(connection)
            self._none_busy.clear()

    def yields(self, connection: HttpConnection) -> None:
        """Let it be closed for a new one although its request is under way."""
        if connection in self._busy:
            self._yielding.setdefault(connection)

    def stays(self, connection: HttpConnection) -> None:
        """Keep its place until its request is answered."""
        self._yielding.pop(connection, None)

    def answered(self, connection: HttpConnection) -> None:
        """Record that its request was answered."""
        if connection in self._busy:
            self._busy.remove(connection)
            self._yielding.pop(connection, None)
            self._idle[connection] = None
            self._note_busy()

    def left(self, connection: HttpConnection) -> None:
        """Record that it is closed; also for one that was never admitted."""
        self._idle.pop(connection, None)
        self._busy.discard(connection)
        self._yielding.pop(connection, None)
        self._note_busy()
        block = self._blocks.pop(connection, None)
        if block is not None:
            self._in_block[block] -= 1
            if not self._in_block[block]:
                del self._in_block[block]

    async def until_none_busy(self) -> None:
        """Wait until no connection has a request under way."""
        await self._none_busy.wait()

    def _note_busy(self) -> None:
        if not self._busy:
            self._none_busy.set()

    def expire(self, connection: HttpConnection, cause: ConnectionCut) -> None:
        """Close one that has exceeded its time."""
        if connection in self._idle or connection in self._busy:
            self._closed[cause] += 1
            self.left(connection)
            connection.cut()

    def take_closed(self) -> Counter[ConnectionCut]:
        """Return how many were closed without an answer since the last call, by cause."""
        closed, self._closed = self._closed, Counter()
        return closed
