"""Waiting for real processes: the one place in the tests that polls."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

Fact = TypeVar("Fact")
PAUSE: Final = 0.02  # seconds; short beside what any peer does
LONGEST_PAUSE: Final = 0.2
# Seconds. Only a test that fails waits so long, so it is far more than a busy machine needs.
PATIENCE: Final = 90.0


def eventually(look: Callable[[], Fact], *, what: str, timeout: float = PATIENCE) -> Fact:
    """Return the first true answer of `look`. Fail the test after `timeout` seconds with `what`."""
    start = looked = time.monotonic()
    while not (fact := look()):
        now = time.monotonic()
        if now > start + timeout:
            raise AssertionError(f"waited {timeout:g} s for {what}")
        # A look that costs time, such as a command, must leave half of it to the others.
        time.sleep(min(max(PAUSE, now - looked), LONGEST_PAUSE))
        looked = time.monotonic()
    return fact
