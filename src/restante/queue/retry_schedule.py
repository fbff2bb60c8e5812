"""When a drain tries again (RFC 5321 §4.5.4.1), and when it stops trying."""

from dataclasses import dataclass
from typing import Final

_SPREAD: Final = (
    0.25  # of a pause, to either side: drains that failed together do not come back together
)
_LONGEST_RATE_PAUSE: Final = 15.0  # seconds
_SHORT_RATE_PAUSES: Final = 6
_MAX_DOUBLINGS: Final = 32  # beyond any sensible ratio of the two pauses


@dataclass(frozen=True, slots=True)
class Schedule:
    """Pauses between the attempts of one drain, in seconds."""

    first_retry: float
    longest_retry: float

    @property
    def longest_pause(self) -> float:
        """The longest pause in seconds; a longer one comes from another clock or other settings."""
        return self.longest_retry * (1 + _SPREAD)


def rate_pause(schedule: Schedule, failures: int, jitter: float) -> float:
    """Return the seconds to pause after a rate limit; arguments as for `next_attempt`.

    Most limits are of a minute or less: for about so long the pauses stay short, and then they grow
    as others do.
    """
    short = min(max(schedule.first_retry, _LONGEST_RATE_PAUSE), schedule.longest_retry)
    doublings = min(max(failures - 1, 0), _MAX_DOUBLINGS)
    pause = min(schedule.first_retry * 2.0**doublings, short)
    if failures > _SHORT_RATE_PAUSES:
        pause = min(
            short * 2.0 ** min(failures - _SHORT_RATE_PAUSES, _MAX_DOUBLINGS),
            schedule.longest_retry,
        )
    return pause * (1 - _SPREAD + 2 * _SPREAD * jitter)


def next_attempt(
    schedule: Schedule, failures: int, now: float, deadline: float, jitter: float
) -> float | None:
    """Return the time of the next attempt on the clock of `now`, None if patience ends before it.

    `failures` counts the attempts since one last got mail through, this one included: the first
    pause is `first_retry`, each further one twice as long. `jitter` is a random number from 0 up to
    1; 0.5 changes nothing.
    """
    doublings = min(max(failures - 1, 0), _MAX_DOUBLINGS)
    pause = min(schedule.first_retry * 2**doublings, schedule.longest_retry)
    at = now + pause * (1 - _SPREAD + 2 * _SPREAD * jitter)
    return at if at <= deadline else None
