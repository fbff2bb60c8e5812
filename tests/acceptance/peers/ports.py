"""Ports of our own on loopback.

Processes that test at the same time share the machine's ports, and a stopped server keeps none of
its own. So each process reserves a slice of the ports. It owns the slice whose name it has bound;
the kernel frees the name when the process ends in any way.
"""

import random
import socket
from collections import deque
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final

EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST: Final = 10000
SLICES: Final = 32
_GIVEN: Final[deque[int]] = deque(maxlen=200)  # lately: a server that is off still owns its port


def free_port(address: str = "127.0.0.1") -> int:
    """Return a port on which nobody listens.

    It lies below the range for outgoing connections of the kernel. While a primary is off,
    thousands of those may come and go, and none may take the port it will come back on.
    """
    ceiling = int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else 32768
    candidates = range(LOWEST + _slice().number, ceiling, SLICES)
    port = next(
        port
        for port in random.sample(candidates, len(candidates))
        if port not in _GIVEN and is_free(address, port)
    )
    _GIVEN.append(port)
    return port


def is_free(address: str, port: int) -> bool:
    """Say whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


class _Slice:
    """The first of all slices that no other process has."""

    def __init__(self) -> None:
        self._mark = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.number = next(number for number in count() if self._takes(number))
        assert self.number < SLICES, "too many processes test at the same time"

    def _takes(self, number: int) -> bool:
        try:
            self._mark.bind(f"\0restante-test-ports-{number}")
        except OSError:
            return False
        return True


@cache
def _slice() -> _Slice:
    return _Slice()
