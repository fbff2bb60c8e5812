"""The port for delivery over a connection that the client made (RFC 2645)."""

from typing import Protocol

from restante.network.wire import Wire


class Turnaround(Protocol):
    """Delivers over a connection that the client made.

    The session that gives the wire away has sent all its replies, and no octet of the client waits
    behind its last command. The listener counts the connection until the wire is closed.
    """

    def begin(self, wire: Wire) -> None:
        """Take the wire, which reads nothing before it is adopted. Do not wait here."""

    def stop(self) -> None:
        """Begin no more messages, and end soon: the server stops."""
