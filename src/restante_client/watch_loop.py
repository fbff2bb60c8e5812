"""Run a command at once, then at intervals, and whenever the network comes back.

The way to the network is known by the address that this machine uses towards the server. It is
found without sending a packet. When it changes, as after a new connection to the provider, the
command runs at once. After exit code 75 it runs again earlier, with growing pauses.
"""

from __future__ import annotations

import socket
import time
from typing import Callable, Optional  # those that Python 3.8 has at run time

from restante_client.client_failure import ClientExit
from restante_client.endpoints import HostPort

FIRST_RETRY = 60.0  # seconds
_LOOK_SECONDS = 5.0
_ANY_PORT = 9  # nothing is sent there

Run = Callable[[], ClientExit]
OwnAddress = Callable[[], Optional[str]]


class WatchLoop:
    """Decides when the command runs next."""

    def __init__(
        self,
        run: Run,
        own_address: OwnAddress,
        interval: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._own_address = own_address
        self._interval = interval
        self._sleep = sleep
        self._clock = clock
        self._retry = min(FIRST_RETRY, interval)

    def loop(self, is_ended: Callable[[], bool]) -> None:
        """Go on until `is_ended`."""
        while not is_ended():
            address = self._own_address()
            pause = self._pause_after(self._run())
            self._wait(pause, address, is_ended)

    def _pause_after(self, code: ClientExit) -> float:
        if code is not ClientExit.TRY_LATER:
            self._retry = min(FIRST_RETRY, self._interval)
            return self._interval
        pause, self._retry = self._retry, min(self._retry * 2, self._interval)
        return pause

    def _wait(self, seconds: float, address: str | None, is_ended: Callable[[], bool]) -> None:
        """Wait, but not longer than until another address is used."""
        end = self._clock() + seconds
        while not is_ended():
            left = end - self._clock()
            if left <= 0:
                return
            self._sleep(min(left, _LOOK_SECONDS))
            now = self._own_address()
            if now is not None and now != address:
                return
            address = now


def address_towards(endpoint: HostPort) -> str | None:
    """Return the address that this machine uses towards a server; None without a way there."""
    try:
        found = socket.getaddrinfo(endpoint[0], _ANY_PORT, type=socket.SOCK_DGRAM)
    except OSError:
        return None
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.connect(address)
                return str(probe.getsockname()[0])
        except OSError:  # noqa: PERF203  the next address may have a way
            continue
    return None
