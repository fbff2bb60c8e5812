"""Limits on failed authentication: growing delays, then refusal for a time.

Pure: the time is an argument.

Failures are counted for the login that was tried and for the address block that tried. A guesser of
one password from many places meets the first count, a guesser of many from one place the second.
Neither count may lock out the owner of a login. So attempts from one of the login's own authorized
hosts are delayed, but never refused unchecked.

Memory is bounded: each count forgets itself, and the oldest goes when there are too many.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

MOST_KEPT = 100_000  # counts; some 20 MiB when a botnet fills it
_FREE_FAILURES = 1  # a typing error costs nothing
_FIRST_DELAY = 0.5  # seconds
_LONGEST_DELAY = 16.0
_MINUTE = 60.0


@dataclass(slots=True)
class _Count:
    failures: int
    last: float


class FailureLedger:
    """Failed attempts by key: a login's user name, or an address block."""

    def __init__(self, until_refusal: int, memory: float) -> None:
        """`memory` is in seconds. Both may be replaced at any time."""
        self.until_refusal = until_refusal
        self.memory = memory
        self._counts: OrderedDict[Hashable, _Count] = OrderedDict()

    def failures(self, key: Hashable, now: float) -> int:
        """Return how many failures are remembered."""
        count = self._counts.get(key)
        return 0 if count is None or now - count.last > self.memory else count.failures

    def is_refused(self, keys: Iterable[Hashable], now: float) -> bool:
        """Tell whether any of these has failed too often to be tried now."""
        return any(self.failures(key, now) >= self.until_refusal for key in keys)

    def delay(self, keys: Iterable[Hashable], now: float) -> float:
        """Return for how many seconds to keep an answer back."""
        failures = max(self.failures(key, now) for key in keys) - _FREE_FAILURES
        return (
            min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(failures - 1, 10))
            if failures > 0
            else 0.0
        )

    def failed(self, keys: Iterable[Hashable], now: float) -> None:
        """Count a failure."""
        for key in keys:
            self._counts[key] = _Count(self.failures(key, now) + 1, now)
            self._counts.move_to_end(key)
        while len(self._counts) > MOST_KEPT:
            self._counts.popitem(last=False)

    def take_back(self, keys: Iterable[Hashable]) -> None:
        """Count one failure less: the last attempt was none."""
        for key in keys:
            count = self._counts.get(key)
            if count is not None:
                count.failures -= 1
                if count.failures <= 0:
                    del self._counts[key]

    def succeeded(self, keys: Iterable[Hashable]) -> None:
        """Forget the failures: the right password was known after all."""
        for key in keys:
            self._counts.pop(key, None)


class RateLimit:
    """So many in a minute by key, evenly: a bucket that refills."""

    def __init__(self, per_minute: int) -> None:
        """`per_minute` may be replaced at any time."""
        self.per_minute = per_minute
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = (
            OrderedDict()
        )  # the number left, and the time of that

    def allows(self, key: Hashable, now: float) -> bool:
        """Count one, and tell whether it was within the limit."""
        left = self._left(key, now)
        self._buckets[key] = (left - 1 if left >= 1 else left, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > MOST_KEPT:
            self._buckets.popitem(last=False)
        return left >= 1

    def has_left(self, key: Hashable, now: float) -> bool:
        """Tell whether one more would be within the limit. Counts nothing."""
        return self._left(key, now) >= 1

    def _left(self, key: Hashable, now: float) -> float:
        left, since = self._buckets.get(key, (float(self.per_minute), now))
        return min(self.per_minute, left + (now - since) * self.per_minute / _MINUTE)
