"""How many HTTP connections one service has at once, and which of them makes room.

Without a limit, idle connections to the metrics port or the control socket take every descriptor of
the process, and no SMTP session can begin. At the limit the oldest connection that has no request
under way is closed for the new one. So a crowd of idle connections keeps nobody out: a client that
sends its request at once is served. Only where every connection has a request under way is the new
one turned away.
"""

from collections import Counter
from enum import StrEnum
from typing import Protocol


class HttpService(StrEnum):
    """The HTTP services."""

    CONTROL = "control"
    METRICS = "metrics"


class Cut(StrEnum):
    """Why a connection was closed without an answer."""

    TOO_MANY = "too many connections"
    NO_REQUEST = "no request in time"
    TOO_SLOW = "answer not taken in time"


class HttpConnection(Protocol):
    """The part of a connection that `HttpConnections` needs."""

    def cut(self) -> None:
        """Close it at once, even with unsent data."""


class HttpConnections:
    """Counts the connections of one service. Belongs to the event loop."""

    def __init__(self, service: HttpService, limit: int) -> None:
        """`limit` is for all sockets of this service together."""
        self.service = service
        self.limit = limit
        self._idle: dict[HttpConnection, None] = {}  # no request under way; the oldest first
        self._busy: set[HttpConnection] = set()
        self._closed: Counter[Cut] = Counter()

    @property
    def count(self) -> int:
        """Connections open now."""
        return len(self._idle) + len(self._busy)

    def admits(self, connection: HttpConnection) -> bool:
        """Admit a new connection, if necessary in place of an idle one; False: it must close."""
        if self.count >= self.limit:
            self._closed[Cut.TOO_MANY] += 1
            if not self._idle:
                return False
            oldest = next(iter(self._idle))
            self.left(oldest)
            oldest.cut()
        self._idle[connection] = None
        return True

    def began(self, connection: HttpConnection) -> None:
        """Record that it has sent a request."""
        if connection in self._idle:
            del self._idle[connection]
            self._busy.add(connection)

    def answered(self, connection: HttpConnection) -> None:
        """Record that its request was answered."""
        if connection in self._busy:
            self._busy.remove(connection)
            self._idle[connection] = None

    def left(self, connection: HttpConnection) -> None:
        """Record that it is closed; also for one that was never admitted."""
        self._idle.pop(connection, None)
        self._busy.discard(connection)

    def expire(self, connection: HttpConnection, cause: Cut) -> None:
        """Close one that has exceeded its time."""
        if connection in self._idle or connection in self._busy:
            self._closed[cause] += 1
            self.left(connection)
            connection.cut()

    def take_closed(self) -> Counter[Cut]:
        """Return how many were closed without an answer since the last call, by cause."""
        closed, self._closed = self._closed, Counter()
        return closed
