"""A place where nobody must connect."""

from __future__ import annotations

import socket
from typing import Self


class Tripwire:
    """Listens, and counts connections. The kernel accepts them, so none is missed."""

    def __init__(self, address: str, port: int = 0) -> None:
        self._socket = socket.create_server((address, port), backlog=128)
        self._socket.setblocking(False)
        self.address = address
        self.port: int = self._socket.getsockname()[1]
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Listen no more: the port is free for another."""
        self._socket.close()

    def connections(self) -> int:
        """Return how many have come until now; each is hung up on."""
        while self._hang_up_on_one():
            self._count += 1
        return self._count

    def _hang_up_on_one(self) -> bool:
        try:
            self._socket.accept()[0].close()
        except BlockingIOError:
            return False
        return True
