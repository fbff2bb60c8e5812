"""How many messages a destination takes on one connection, where it ends each one after so many.

Some servers close, or say 421, after each message. What was sent behind that message was sent in vain, and may have been
taken. So once two connections in a row were ended after the same number, we say QUIT ourselves after so many.
"""

from typing import Final

from restante.delivery.link_plan import ConnectionEnd, EndKind

_BY_DESTINATION: Final = (EndKind.BUSY, EndKind.BROKEN)


class ConnectionAllowance:
    """Of one attempt."""

    def __init__(self, most: int) -> None:
        """`most`: messages that we send on one connection anyway."""
        self.messages = most
        self._last = 0

    def learn(self, end: ConnectionEnd) -> None:
        """Take how a connection ended."""
        if end.kind not in _BY_DESTINATION or not end.delivered:
            return
        if end.delivered == self._last:
            self.messages = min(end.delivered, self.messages)
        self._last = end.delivered
