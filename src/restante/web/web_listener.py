"""A `web` listener: a listening socket, and the HTTP connections that came through it."""

import asyncio
import socket
from typing import Final

from uvicorn.server import ServerState

from restante.network.addresses import join_host_port
from restante.reception.listener import stop_listening
from restante.web.web_connection import WebConnection, WebListenerSettings

_ACCEPTED_AT_ONCE: Final = 16  # before the first of them can be closed
_BACKLOG: Final = 1024  # connections that wait in the kernel; a burst beyond it waits for seconds


class WebListener:
    """Serves HTTP at one address. `reception/listeners` opens and closes it as the others."""

    def __init__(self, service: str, bound: socket.socket, settings: WebListenerSettings) -> None:
        """`settings` may be replaced at any time; open connections keep theirs."""
        self.service = service
        self._bound = bound
        host, port = bound.getsockname()[:2]
        self.address: tuple[str, int] = (host, port)  # as bound, also once it is closed
        self._is_closed = False
        self._server: asyncio.Server | None = None
        self._state = ServerState()  # uvicorn keeps the open connections there
        self._settings = settings
        self._config = settings.uvicorn_config()

    @property
    def settings(self) -> WebListenerSettings:
        """The settings of new connections."""
        return self._settings

    @settings.setter
    def settings(self, settings: WebListenerSettings) -> None:
        self._settings = settings
        self._config = settings.uvicorn_config()

    @property
    def address_text(self) -> str:
        """`host:port` as bound."""
        return join_host_port(*self.address)

    @property
    def sessions(self) -> int:
        """Connections open now."""
        return len(self._state.connections)

    async def open(self) -> None:
        """Begin to accept connections."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: WebConnection(self._settings, self._config, self._state).wire,
            sock=self._bound,
            backlog=_ACCEPTED_AT_ONCE,
        )
        if self._is_closed:  # meanwhile
            server.close()
            return
        self._server = server
        self._bound.listen(_BACKLOG)  # asyncio would accept as many at once

    def sweep(self) -> None:
        """Nothing to do: each connection has a timer."""

    def share_socket(self) -> socket.socket:
        """Return another descriptor of the bound socket, for the replacing listener."""
        return self._bound.dup()

    def stop_accepting(self, *, is_last: bool = False) -> None:
        """Accept no more; open connections go on until their answer.

        With `is_last`, no other listener has the socket.
        """
        self._is_closed = True
        if self._server is not None:
            self._server.close()
        if is_last:
            stop_listening(self._bound)
        self._bound.close()
        for connection in self._connections():
            connection.stop()

    def close(self) -> None:
        """Accept no more; end the idle connections, the others after their answer."""
        self.stop_accepting(is_last=True)

    def abort(self) -> None:
        """Cut the connections that are still open."""
        for connection in self._connections():
            connection.cut()

    def _connections(self) -> list[WebConnection]:
        return [each for each in self._state.connections if isinstance(each, WebConnection)]
