"""How many messages a minute may go to a destination (`domain set --per-minute N`).

In no 60 seconds do more than N leave, whatever minutes the destination counts by. Domains with the
same destination share the smallest of their numbers. Each that wants to send gets an equal part.
"""

from collections import Counter, deque
from collections.abc import Callable
from math import ceil
from typing import Final

_MINUTE: Final = 60.0


class _Minute:
    """The messages that left for one destination in the last 60 seconds."""

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

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """`monotonic` is in seconds."""
        self._monotonic = monotonic
        self._minutes: dict[str, _Minute] = {}

    def take(self, destination: str, domain_id: int, per_minute: int) -> float:
        """Count a message that leaves now and return 0.0, or return the seconds it must wait."""
        now = self._monotonic()
        minute = self._minutes.setdefault(destination, _Minute())
        minute.forget(now - _MINUTE)
        minute.asked[domain_id] = now
        part = ceil(per_minute / len(minute.asked))
        if len(minute.sent) >= per_minute:
            return minute.sent[0][0] + _MINUTE - now
        if minute.count[domain_id] >= part:
            return next(at for at, sender in minute.sent if sender == domain_id) + _MINUTE - now
        minute.sent.append((now, domain_id))
        minute.count[domain_id] += 1
        return 0.0
