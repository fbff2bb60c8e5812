"""Machines on loopback: each peer of a test has an address that no other test uses."""

from __future__ import annotations

import random


def addresses(count: int) -> list[str]:
    """Return addresses of this machine that, in all likelihood, nobody else uses."""
    network = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}"
    return [f"{network}.{host}" for host in range(1, count + 1)]
