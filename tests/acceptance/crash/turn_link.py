"""The link between a customer and the server: it can be cut in the middle of a message.

Each connection is passed on to the server. A cut is for one connection. Some more octets reach the
customer. Then both ends see a reset, or both see the end of the stream. Replies that are under way
are lost with it.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
from contextlib import suppress
from typing import Final, Self

HOST: Final = "127.0.0.1"
_CHUNK: Final = 1 << 14
_AT_ONCE: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close by a reset


class TurnLink:
    """All connections to a port of the server while the `with` lasts."""

    def __init__(self, server_port: int) -> None:
        self.cuts = 0
        self._server_port = server_port
        self._listener = socket.create_server((HOST, 0))
        self._left: int | None = None  # octets to the customer until the cut; None: no cut is due
        self._by_reset = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def port(self) -> int:
        """The port for the customer."""
        port: int = self._listener.getsockname()[1]
        return port

    def cut_after(self, octets: int, *, by_reset: bool) -> None:
        """Cut the connection when so many more octets have reached the customer."""
        self._by_reset = by_reset
        self._left = octets

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                customer, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(customer,), daemon=True).start()

    def _serve(self, customer: socket.socket) -> None:
        with (
            customer,
            suppress(OSError),  # a killed end resets its connection
            socket.create_connection((HOST, self._server_port)) as server,
        ):
            self._left = None  # a cut that came too late for the connection before
            while self._passes_on(customer, server):
                pass

    def _passes_on(self, customer: socket.socket, server: socket.socket) -> bool:
        """Pass on what has come; return whether the connection goes on."""
        readable, _, _ = select.select([customer, server], [], [])
        for end in readable:
            octets = end.recv(_CHUNK)
            if not octets:
                return False
            if end is customer:
                server.sendall(octets)
            elif self._left is None or self._left > len(octets):
                customer.sendall(octets)
                self._left = None if self._left is None else self._left - len(octets)
            else:
                customer.sendall(octets[: self._left])
                self._cut(customer, server)
                return False
        return True

    def _cut(self, *ends: socket.socket) -> None:
        self._left = None
        self.cuts += 1
        if self._by_reset:
            for end in ends:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
