"""How many messages a destination takes on one connection, if it has a limit.

Some servers close, or send 421, after each message. Messages sent behind that one are wasted, and
may have been taken. So once two connections in a row ended after the same number, we send QUIT
ourselves after that many.
"""

from typing import Final

from restante.delivery.link_plan import ConnectionEnd, EndKind

_BY_DESTINATION: Final = (EndKind.BUSY, EndKind.BROKEN)


class ConnectionAllowance:
    """The allowance of one attempt."""

    def __init__(self, most: int) -> None:
        """`most`: the configured number of messages on one connection."""
        self.messages = most
        self._last = 0

    def learn(self, end: ConnectionEnd) -> None:
        """Learn from the end of a connection."""
        if end.kind not in _BY_DESTINATION or not end.delivered:
            return
        if end.delivered == self._last:
            self.messages = min(end.delivered, self.messages)
        self._last = end.delivered
