"""Whether a destination is there, as probes show it, and when to look again. Pure.

    unknown ──two good──► up ◄──two good── away
       └──────two bad──► away ◄──two bad──┘ (from up)

One probe proves nothing: a server that is starting answers once and stops again, a bad line loses
one connection. A delivery does: a destination that took mail is up.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Final

from restante.queue.retry_schedule import Schedule, next_attempt

NEEDED: Final = 2  # probes of one kind in a row
_CALM: Final = (
    4.0  # a destination that is up is looked at so much more rarely than one that is in doubt
)


class DestinationState(StrEnum):
    """The known state of a destination."""

    UNKNOWN = "unknown"
    UP = "up"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class DestinationPresence:
    """One destination, since it was first looked at."""

    seen: DestinationState = DestinationState.UNKNOWN
    good: int = 0  # probes in a row
    bad: int = 0

    def after(self, *, is_good: bool) -> "DestinationPresence":
        """Return what is known after one more probe."""
        good, bad = (self.good + 1, 0) if is_good else (0, self.bad + 1)
        seen = (
            DestinationState.UP
            if good >= NEEDED
            else DestinationState.AWAY
            if bad >= NEEDED
            else self.seen
        )
        return DestinationPresence(seen, good, bad)

    @property
    def is_in_doubt(self) -> bool:
        """Whether the last probe said something new: the next one, soon, decides."""
        return max(self.good, self.bad) < NEEDED

    def next_probe(self, schedule: Schedule, now: float, jitter: float) -> float:
        """Return the time of the next probe on the clock of `now`.

        `jitter` is a random number from 0 up to 1. The pauses of a destination that is away grow.
        Those of one that is up do not, so that an outage is seen in time.
        """
        failures = 1 if self.is_in_doubt else max(self.bad - NEEDED + 1, 1)
        if self.seen is DestinationState.UP and not self.is_in_doubt:
            schedule = Schedule(_CALM * schedule.first_retry, schedule.longest_retry)
        at = next_attempt(schedule, failures, now, inf, jitter)
        assert at is not None  # there is no deadline
        return at


PROVEN: Final = DestinationPresence(
    DestinationState.UP, NEEDED
)  # a destination that took or refused mail


@dataclass(frozen=True, slots=True)
class WatchedDestination:
    """The state of a watched destination, as it is shown."""

    seen: DestinationState
    since: float | None  # Unix time; None while it is unknown
    next_probe_at: float
    reason: str  # why the last probe found nothing, "" if it did
    probed_at: float | None = None  # Unix time: when the last probe ended; None: none so far


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """A destination of an account came up, went away, or is not probed any more."""

    account: str
    destination: str  # host:port
    at: float  # Unix time
    seen: DestinationState  # from then on; unknown: it is not probed
    reason: str = ""  # why it was found away
