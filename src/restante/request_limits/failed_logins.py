"""Limits on failed authentication: growing delays, then refusal for a time.

Pure: the time is an argument.

Failures are counted for the login that was tried and for the address block that tried. A guesser of
one password from many places meets the first count, a guesser of many from one place the second.
Neither count may lock out the owner of a login. So attempts from one of the login's own authorized
hosts are delayed, but never refused unchecked.

Memory is bounded: each count forgets itself, and the oldest goes when there are too many.

Several servers of one store share these limits. Each divides its rates by their number, and keeps
changes of its failures for the others. Keys are kept as digests, so that they name nobody.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

MOST_KEPT = 100_000  # counts; some 20 MiB when a botnet fills it
_FREE_FAILURES = 1  # a typing error costs nothing
_FIRST_DELAY = 0.5  # seconds
_LONGEST_DELAY = 16.0
_MINUTE = 60.0
_DIGEST_SIZE = 12  # octets


@dataclass(slots=True)
class _Count:
    failures: int
    last: float


class FailuresSince(NamedTuple):
    """The failures of a key since changes of them were taken."""

    failures: int = 0
    was_forgotten: bool = False  # those before it


def _digest(key: Hashable) -> bytes:
    return blake2b(repr(key).encode(), digest_size=_DIGEST_SIZE).digest()


class FailureLedger:
    """Failed attempts by key: a login's user name, or an address block."""

    def __init__(self, until_refusal: int, memory: float) -> None:
        """`memory` is in seconds. Both may be replaced at any time."""
        self.until_refusal = until_refusal
        self.memory = memory
        self._counts: OrderedDict[bytes, _Count] = OrderedDict()
        self._changes: dict[bytes, FailuresSince] | None = None  # None: nobody wants to know

    def keep_changes(self) -> None:
        """Keep changes from now on. `take_changes` must be called again and again."""
        self._changes = {}

    def take_changes(self) -> dict[bytes, FailuresSince]:
        """Return the failures since the last call, by the digest of the key."""
        if self._changes is None:
            return {}
        taken, self._changes = self._changes, {}
        return taken

    def count_elsewhere(
        self, digest: bytes, failures: int, at: float, *, was_forgotten: bool = False
    ) -> None:
        """Count failures at another server as those here."""
        known = 0 if was_forgotten else self._known(digest, at)
        self._keep(digest, known + failures, at)

    def failures(self, key: Hashable, now: float) -> int:
        """Return how many failures are remembered."""
        return self._known(_digest(key), now)

    def _known(self, digest: bytes, now: float) -> int:
        count = self._counts.get(digest)
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
        for digest in map(_digest, keys):
            self._keep(digest, self._known(digest, now) + 1, now)
            self._note(digest, 1)

    def take_back(self, keys: Iterable[Hashable]) -> None:
        """Count one failure less: the last attempt was none."""
        for digest in map(_digest, keys):
            count = self._counts.get(digest)
            if count is not None:
                count.failures -= 1
                if count.failures <= 0:
                    del self._counts[digest]
                self._note(digest, -1)

    def succeeded(self, keys: Iterable[Hashable]) -> None:
        """Forget the failures: the right password was known after all."""
        for digest in map(_digest, keys):
            if self._counts.pop(digest, None) is not None and self._changes is not None:
                self._changes[digest] = FailuresSince(0, was_forgotten=True)

    def _keep(self, digest: bytes, failures: int, at: float) -> None:
        if failures <= 0:
            self._counts.pop(digest, None)
            return
        self._counts[digest] = _Count(failures, at)
        self._counts.move_to_end(digest)
        while len(self._counts) > MOST_KEPT:
            self._counts.popitem(last=False)

    def _note(self, digest: bytes, failures: int) -> None:
        """Keep changes, but not of more keys than counts are kept."""
        if self._changes is None:
            return
        before = self._changes.get(digest)
        if before is not None:
            self._changes[digest] = before._replace(failures=before.failures + failures)
        elif len(self._changes) < MOST_KEPT:
            self._changes[digest] = FailuresSince(failures)


def _alone() -> int:
    """The number of servers where there is one."""
    return 1


ShareLedger = Callable[[str, FailureLedger], FailureLedger]  # by a name that all servers know


def share_with_nobody(_name: str, ledger: FailureLedger) -> FailureLedger:
    """Return the ledger of a server that is alone."""
    return ledger


class RateLimit:
    """So many in a minute by key, evenly: a bucket that refills."""

    def __init__(self, per_minute: int, servers: Callable[[], int] = _alone) -> None:
        """`per_minute` may be replaced at any time. It is divided by the number of `servers`."""
        self.per_minute = per_minute
        self._servers = servers
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

    def seconds_left(self, key: Hashable, now: float) -> float:
        """Return after how many seconds one more will be within the limit. Counts nothing."""
        missing = 1 - self._left(key, now)
        rate = self.per_minute / self._servers()
        return max(missing, 0.0) * _MINUTE / rate if rate else _MINUTE

    def _left(self, key: Hashable, now: float) -> float:
        rate = self.per_minute / self._servers()
        most = max(rate, min(1.0, self.per_minute))  # less than one would never be enough
        left, since = self._buckets.get(key, (most, now))
        return min(most, left + (now - since) * rate / _MINUTE)
