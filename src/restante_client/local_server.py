"""The mail server of this machine: whether it answers, and a connection to it.

Asking for mail before the server is up wastes the first minutes of a delivery. So its greeting is
awaited first.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Callable, Optional  # those that Python 3.8 has at run time

from restante_client.client_failure import ClientExit, ClientFailure, shown
from restante_client.endpoints import read_endpoint

LOCAL_PORT = 25
WAIT_SECONDS = 600.0  # for the greeting, all attempts together
_PAUSE_SECONDS = 1.0  # between two attempts
_ATTEMPT_SECONDS = 60.0
_MAX_GREETING = 16_384  # octets
_GOODBYE_SECONDS = 2.0

Tell = Callable[[str], None]
_Greeted = Optional[socket.socket]


@dataclass(frozen=True)
class LocalServer:
    """A connection to the local server, and the greeting that it sent: not yet answered."""

    connection: socket.socket
    greeting: bytes

    def dismiss(self) -> None:
        """Say QUIT, so that the server does not log a lost connection."""
        with suppress(OSError), self.connection as connection:
            connection.settimeout(_GOODBYE_SECONDS)
            connection.sendall(b"QUIT\r\n")
            while connection.recv(4096):
                pass


def await_local(
    address: str,
    seconds: float = WAIT_SECONDS,
    tell: Tell = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> LocalServer:
    """Connect to the local server once it greets with 220. Raises ClientFailure after `seconds`.

    `tell` gets a line when the first attempt fails.
    """
    endpoint = read_endpoint(address, LOCAL_PORT)
    end = clock() + seconds
    is_told = False
    while True:
        left = max(min(end - clock(), _ATTEMPT_SECONDS), 0.1)
        connection: _Greeted = None
        try:
            connection = socket.create_connection(endpoint, left)
            greeting = _greeting(connection, time.monotonic() + left)
            if greeting.startswith(b"220"):
                return LocalServer(connection, greeting)
            cause = f"greets with {shown(greeting.decode('utf-8', 'replace'))[:200] or 'nothing'}"
        except OSError as error:
            cause = (
                "no greeting in time" if isinstance(error, socket.timeout) else str(error.strerror)
            )
        if connection is not None:
            connection.close()
        if clock() + _PAUSE_SECONDS >= end:
            raise ClientFailure(
                ClientExit.TRY_LATER,
                f"{address}: the local mail server does not answer: {cause}; start it, or name its"
                " address with --local",
            )
        if not is_told:
            tell(f"waiting for the local mail server at {address}: {cause}")
            is_told = True
        sleep(_PAUSE_SECONDS)


def _greeting(connection: socket.socket, deadline: float) -> bytes:
    """Return a whole greeting, of several lines too. Raises OSError."""
    received = b""
    while not _is_whole(received):
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        octets = connection.recv(4096)
        received += octets
        if not octets or len(received) > _MAX_GREETING:
            return b""
    return received


def _is_whole(received: bytes) -> bool:
    if not received.endswith(b"\n"):
        return False
    last = received[:-1].rpartition(b"\n")[2]
    return not (last[:3].isdigit() and last[3:4] == b"-")
