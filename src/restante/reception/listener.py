"""A listening socket and the sessions that came through it."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from restante.network.addresses import join_host_port, split_host_port
from restante.reception.doorkeeper import Doorkeeper, ShedCause
from restante.reception.smtp_connection import SessionSettings, SmtpConnection
from restante.tenancy.model import IpAddress

BACKLOG = 1024
ACCEPTED_AT_ONCE = 64
SWEEP_SECONDS = 1.0


def bind(address: str, *, is_shared: bool = False) -> socket.socket:
    """Bind `host:port` for a listener, before privileges are dropped. Raises OSError, ValueError.

    An IPv6 socket takes IPv6 only, so that 0.0.0.0 and [::] can stand side by side. With
    `is_shared`, other processes of the same user may bind the address too, and the kernel divides
    the connections among those that listen (SO_REUSEPORT).
    """
    host, port = split_host_port(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
        bound.setblocking(False)
    except OSError:
        bound.close()
        raise
    return bound


def stop_listening(bound: socket.socket) -> None:
    """Have the kernel give this socket no more connections, in no process that has it open.

    It stays bound, and can listen again.
    """
    with contextlib.suppress(OSError):  # it did not listen yet
        bound.shutdown(socket.SHUT_RDWR)


class Listener:
    """Serves one address."""

    def __init__(
        self,
        service: str,
        bound: socket.socket,
        settings: SessionSettings,
        door: Doorkeeper,
        clock: Callable[[], float],
    ) -> None:
        """`settings` may be replaced at any time; running sessions keep theirs."""
        self.service = service
        self.settings = settings
        self._bound = bound
        host, port = bound.getsockname()[:2]
        self.address: tuple[str, int] = (host, port)  # as bound, also once it is closed
        self._is_closed = False
        self._door = door
        self._clock = clock
        # in the order in which they came, so that a run can be repeated
        self._connections: dict[SmtpConnection, None] = {}
        self._server: asyncio.Server | None = None

    @property
    def address_text(self) -> str:
        """`host:port` as bound."""
        return join_host_port(*self.address)

    @property
    def sessions(self) -> int:
        """Sessions open now."""
        return len(self._connections)

    def refusal(self, address: IpAddress) -> ShedCause | None:
        """Return the limit by which one more session from there is not served; None if it is."""
        return self._door.refusal(address)

    def must_hurry(self, address: IpAddress) -> bool:
        """Return whether a stranger's session from there gets less time now."""
        return self._door.must_hurry(address)

    def joined(self, connection: SmtpConnection) -> None:
        """Record a session that begins."""
        self._connections[connection] = None
        self._door.entered(connection.peer)

    def proved(self, connection: SmtpConnection) -> None:
        """Record that it has authenticated."""
        if connection in self._connections:
            self._door.authenticated()

    def left(self, connection: SmtpConnection) -> None:
        """Record that it ended."""
        if connection in self._connections:
            del self._connections[connection]
            self._door.left(
                connection.peer,
                was_stranger=connection.is_stranger,
                end=connection.end,
                in_content=connection.ended_in_content,
            )

    async def open(self) -> None:
        """Begin to accept connections."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SmtpConnection(self.settings, self, self._clock).wire,
            sock=self._bound,
            backlog=ACCEPTED_AT_ONCE,
        )
        if self._is_closed:  # meanwhile
            server.close()
            return
        self._server = server
        self._bound.listen(
            BACKLOG
        )  # asyncio would accept this many before it hands over one that gets 421

    def sweep(self) -> None:
        """End the sessions that have taken too long. Call every SWEEP_SECONDS."""
        now = self._clock()
        for connection in list(self._connections):
            connection.greet(now)
            if (end := connection.overdue(now)) is not None:
                connection.expire(end)

    def share_socket(self) -> socket.socket:
        """Return another descriptor of the bound socket, for the replacing listener."""
        return self._bound.dup()

    def stop_accepting(self, *, is_last: bool = False) -> None:
        """Accept no more; sessions go on. With `is_last`, no other listener has the socket."""
        self._is_closed = True
        if self._server is not None:
            self._server.close()
        if is_last:
            stop_listening(self._bound)
        self._bound.close()

    def close(self) -> None:
        """Accept no more; end the sessions that await no reply, the others after their reply."""
        self.stop_accepting(is_last=True)
        for connection in list(self._connections):
            connection.stop()

    def abort(self) -> None:
        """Cut the sessions that are still open."""
        for connection in list(self._connections):
            connection.abort()
