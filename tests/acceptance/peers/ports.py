"""Ports of our own on loopback."""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import Final

EPHEMERAL: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST: Final = 10000


def free_port(address: str = "127.0.0.1") -> int:
    """Return a port on which nobody listens.

    It lies below the range from which the kernel numbers outgoing connections: while a primary is off,
    thousands of those may come and go, and none may take the port it will come back on.
    """
    ceiling = int(EPHEMERAL.read_text().split()[0]) if EPHEMERAL.exists() else 32768
    candidates = range(LOWEST, ceiling)
    return next(port for port in random.sample(candidates, len(candidates)) if is_free(address, port))


def is_free(address: str, port: int) -> bool:
    """Say whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
