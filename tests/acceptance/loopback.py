"""Machines on loopback: each peer of a test has an address that no other test uses."""

from __future__ import annotations

import itertools

_NETWORKS = itertools.count(256)  # 127.1.0.0/24 is the first


def addresses(count: int) -> list[str]:
    """Return addresses of this machine that no other call in this process returns."""
    high, low = divmod(next(_NETWORKS), 256)
    return [f"127.{high}.{low}.{host}" for host in range(1, count + 1)]
