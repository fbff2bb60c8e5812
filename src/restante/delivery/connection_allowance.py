"""How many messages a connection carries: by our own rule, and by the destination's limit.

A new connection costs several round trips. So a quick one carries up to the configured number of
messages. One that has lasted for four minutes carries no more than the first 1,000. Exchange closes
a connection after five or ten minutes, whatever is under way, and a window would be sent again.

Some servers close, or send 421, after each message. Messages sent behind that one are wasted, and
may have been taken. So once two connections in a row ended after the same number, we send QUIT
ourselves after that many.
"""

from typing import Final

from restante.delivery.link_plan import ConnectionEnd, EndKind

MESSAGES_OF_ANY_AGE: Final = 1000
_LONG: Final = 240.0  # seconds
_BY_DESTINATION: Final = (EndKind.BUSY, EndKind.BROKEN)


def takes_more(begun: int, seconds: float, most: int) -> bool:
    """Return whether a connection takes another message, which has begun so many in that time.

    `most`: by the configuration, or by the destination.
    """
    return begun < most and (begun < MESSAGES_OF_ANY_AGE or seconds < _LONG)


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
