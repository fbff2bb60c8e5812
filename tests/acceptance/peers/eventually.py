"""Waiting for real processes: the one place in the tests that polls."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

Fact = TypeVar("Fact")
PAUSE: Final = 0.02  # seconds; short beside what any peer does, long beside what asking costs


def eventually(look: Callable[[], Fact], *, what: str, timeout: float = 10.0) -> Fact:
    """Return the first true answer of `look`. Fail the test after `timeout` seconds with `what`."""
    deadline = time.monotonic() + timeout
    while not (fact := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s for {what}")
        time.sleep(PAUSE)
    return fact
