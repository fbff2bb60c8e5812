"""When a drain tries again, and when it stops trying. The times are monotonic, in seconds.

Pauses grow (queue/retry_schedule.py), and begin at the shortest where mail got through. A
destination that takes mail up to its rate gets new patience. After many refused clients, a pause
has a shortest length of its own (refused_clients.py).
"""

from collections.abc import Callable

from restante.delivery.attempt_end import AttemptEnd, AttemptKind
from restante.delivery.delivery_settings import DeliverySettings
from restante.queue.retry_schedule import Schedule, next_attempt, rate_pause


class DrainPatience:
    """One drain's deadline, and its failures in a row."""

    def __init__(
        self,
        deadline: float,
        settings: Callable[[], DeliverySettings],
        jitter: Callable[[], float],
    ) -> None:
        """`settings` returns those of the last reload; `jitter` is from 0 up to 1."""
        self.deadline = deadline
        self._settings = settings
        self._jitter = jitter
        self._failures = 0

    def last_until(self, deadline: float) -> None:
        """Go on until then, at least."""
        self.deadline = max(self.deadline, deadline)

    def restart_pauses(self) -> None:
        """Let the pauses begin at the shortest."""
        self._failures = 0

    def next_attempt(self, end: AttemptEnd, now: float) -> float | None:
        """Count an attempt; return when to try again, None if patience ends first."""
        is_stopped = end.kind in (AttemptKind.STOPPED, AttemptKind.REFUSED_CLIENTS)
        got_through = (is_stopped or end.is_limited) and end.delivered
        self._failures = 1 if got_through else self._failures + 1
        settings = self._settings()
        if end.kind is AttemptKind.PACED:
            self._failures = 0
            self.last_until(now + end.wait + settings.patience)
            return now + end.wait
        schedule = Schedule(settings.first_retry, settings.longest_retry)
        if not end.is_limited:
            at = next_attempt(schedule, self._failures, now, self.deadline, self._jitter())
            later = max(at, now + end.wait) if at is not None else self.deadline + 1.0
            return later if later <= self.deadline else None
        if end.delivered:
            self.last_until(now + settings.patience)
        at = now + rate_pause(schedule, self._failures, self._jitter())
        return at if at <= self.deadline else None
