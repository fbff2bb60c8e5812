"""Run a command at once, then at intervals, and whenever the network comes back.

The way to the network is known by the address that this machine uses towards the server. It is
found without sending a packet. When it changes, as after a new connection to the provider, the
command runs at once, but not within LEAST_PAUSE of the last run. A line that comes and goes must
not make it log in every few seconds.

Behind a router that address stays the same. So after a failed run the server is connected to, and
if it cannot be reached, again every PROBE_SECONDS. Once it can, the command runs at once. A run
that failed although the server can be reached is repeated earlier, with growing pauses.
"""

from __future__ import annotations

import socket
import time
from typing import Callable, Optional  # those that Python 3.8 has at run time

from restante_client.client_failure import ClientExit
from restante_client.endpoints import HostPort

FIRST_RETRY = 60.0  # seconds
PROBE_SECONDS = 15.0
LEAST_PAUSE = 15.0  # seconds, unless the interval is shorter
_LOOK_SECONDS = 5.0
_PROBE_TIMEOUT_SECONDS = 5.0
_MAY_PASS = (ClientExit.UNAVAILABLE, ClientExit.TRY_LATER)
_ANY_PORT = 9  # nothing is sent there

Run = Callable[[], ClientExit]
OwnAddress = Callable[[], Optional[str]]
Probe = Callable[[], bool]


class WatchLoop:
    """Decides when the command runs next."""

    def __init__(
        self,
        run: Run,
        own_address: OwnAddress,
        is_reached: Probe,
        interval: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._own_address = own_address
        self._is_reached = is_reached
        self._interval = interval
        self._sleep = sleep
        self._clock = clock
        self._retry = min(FIRST_RETRY, interval)

    def loop(self, is_ended: Callable[[], bool]) -> None:
        """Go on until `is_ended`."""
        while not is_ended():
            address = self._own_address()
            code = self._run()
            may_pass = code in _MAY_PASS
            pause = self._pause_after(may_pass=may_pass)
            self._wait(pause, address, is_ended, is_cut_off=may_pass and not self._is_reached())

    def _pause_after(self, *, may_pass: bool) -> float:
        if not may_pass:
            self._retry = min(FIRST_RETRY, self._interval)
            return self._interval
        pause, self._retry = self._retry, min(self._retry * 2, self._interval)
        return pause

    def _wait(
        self, seconds: float, address: str | None, is_ended: Callable[[], bool], *, is_cut_off: bool
    ) -> None:
        """Wait, but only until another address is used, or the server can be reached again."""
        end = self._clock() + seconds
        least = self._clock() + LEAST_PAUSE
        probe_at = self._clock() + PROBE_SECONDS
        has_changed = False
        while not is_ended():
            left = end - self._clock()
            if left <= 0:
                return
            self._sleep(min(left, _LOOK_SECONDS))
            now = self._own_address()
            has_changed |= now is not None and now != address
            if has_changed and now is not None and self._clock() >= least:
                return
            address = now
            if is_cut_off and self._clock() >= probe_at:
                if self._is_reached():
                    return
                probe_at = self._clock() + PROBE_SECONDS


def can_reach(endpoint: HostPort) -> bool:
    """Return whether the server takes a connection now."""
    try:
        socket.create_connection(endpoint, _PROBE_TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


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
