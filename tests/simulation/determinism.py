"""Chance, time and secrets from the seed, and cheap passwords, for as long as a simulation runs."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from argon2 import PasswordHasher

from restante.reception import credential_lanes
from restante.tenancy import passwords
from tests.simulation.virtual_loop import EPOCH, InlineExecutor, VirtualLoop

_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@contextmanager
def determined(seed: int, loop: VirtualLoop) -> Iterator[None]:
    """Let everything that a process knows of the world come from the seed."""
    octets = random.Random(f"octets {seed}").randbytes
    state = random.getstate()
    random.seed(seed)
    with ExitStack() as stack:
        for target, name, instead in _replacements(loop, octets):
            stack.enter_context(patch.object(target, name, instead))
        try:
            yield
        finally:
            random.setstate(state)


def _replacements(loop: VirtualLoop, octets: Any) -> list[tuple[Any, str, Any]]:
    return [
        (time, "time", lambda: EPOCH + loop.time()),
        (time, "time_ns", lambda: int((EPOCH + loop.time()) * 1e9)),
        (time, "monotonic", loop.time),
        (random, "_urandom", octets),
        (__import__("os"), "urandom", octets),
        (passwords, "_HASHER", _CHEAP),
        (credential_lanes, "ThreadPoolExecutor", InlineExecutor),
    ]
