"""How many messages a minute may go to a destination (`domain set --per-minute N`).

In no 60 seconds do more than N leave, whatever minutes the destination counts by. Domains with the
same destination share the smallest of their numbers. Each that wants to send gets an equal part.

In the same manner, connections are counted by the second, where clients are refused in a row
(refused_clients.py).
"""

from collections import Counter, deque
from collections.abc import Callable
from math import ceil
from typing import Final

_MINUTE: Final = 60.0


class _Period:
    """The messages or connections of one destination in the last seconds."""

    def __init__(self) -> None:
        self.sent: deque[tuple[float, int]] = deque()  # when, and of which domain
        self.count: Counter[int] = Counter()  # by domain
        self.asked: dict[int, float] = {}  # when each domain last wanted to send

    def forget(self, before: float) -> None:
        while self.sent and self.sent[0][0] <= before:
            _, domain_id = self.sent.popleft()
            self.count[domain_id] -= 1
        if not self.sent:
            self.count.clear()
        self.asked = {domain_id: at for domain_id, at in self.asked.items() if at > before}


class DestinationRates:
    """The rates of all destinations with a limit. Kept as long as the process lives."""

    def __init__(self, monotonic: Callable[[], float], seconds: float = _MINUTE) -> None:
        """`monotonic` is in seconds; `seconds` is the period of the rates."""
        self._monotonic = monotonic
        self._seconds = seconds
        self._periods: dict[str, _Period] = {}

    def take(self, destination: str, domain_id: int, most: int) -> float:
        """Count a message that leaves now and return 0.0, or return the seconds it must wait.

        At most `most` leave in the period.
        """
        now = self._monotonic()
        period = self._periods.setdefault(destination, _Period())
        period.forget(now - self._seconds)
        period.asked[domain_id] = now
        part = ceil(most / len(period.asked))
        if len(period.sent) >= most:
            return period.sent[0][0] + self._seconds - now
        if period.count[domain_id] >= part:
            first = next(at for at, sender in period.sent if sender == domain_id)
            return first + self._seconds - now
        period.sent.append((now, domain_id))
        period.count[domain_id] += 1
        return 0.0
