"""The clock by which ages are counted, where something ends permanently.

A wall clock can be wrong: a machine starts with a hardware clock that is years ahead, or somebody
sets it. Everything held would seem to be old enough, and would be deleted at once.

Theory of operation. The newest time that was trusted is in the store. From it, and from the time
that has passed since by the monotonic clock, follows which time to expect. A wall clock that is
more than a day from it has leapt, and is in doubt:

    the wall clock                              ages are counted by
    ------------------------------------------  ------------------------------------------------
    is as expected                              the wall clock
    has leapt ahead                             the time that was expected
    has leapt back                              the wall clock: everything is younger then
    goes on evenly for WAIT_SECONDS after that  the wall clock: the server was off, or was wrong
    is back where it was expected               the wall clock

So a leap deletes nothing for that long, and no work has to stop. A server that was off for weeks
deletes that much later. Each start in doubt begins to wait again, since the store knows no newer
time. How long a server was off is not known, so a leap below a day goes unnoticed.

Limitation: mail that came while the clock was behind has a time that is too early. After the
clock was set right and the wait is over, it ends too early.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from restante.tenancy.policy import DAY

LEAP_SECONDS: Final = DAY  # more is no correction, and no short pause
WAIT_SECONDS: Final = 12 * 3600.0  # a night


@dataclass(frozen=True, slots=True)
class ClockDoubt:
    """A leap of the wall clock."""

    leap: float  # seconds; below 0 backwards
    trusted_from: float  # Unix time, by this very clock


@dataclass(frozen=True, slots=True)
class _ClockReading:
    wall: float
    monotonic: float

    def later(self, monotonic: float) -> float:
        """Return the wall time that is expected at another moment."""
        return self.wall + monotonic - self.monotonic


class AgeClock:
    """Tells the time for ages, and whether the wall clock is in doubt."""

    def __init__(
        self, known_at: float | None, wall: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        """`known_at`: the newest time in the store; None if it has none, so any is believed."""
        self._wall = wall
        self._monotonic = monotonic
        self._trusted = _ClockReading(wall() if known_at is None else known_at, monotonic())
        self._leapt_to: _ClockReading | None = None

    def now(self) -> float:
        """Return Unix time, never ahead of the wall clock."""
        seen = self._look()
        if self._leapt_to is None:
            return seen.wall
        return min(seen.wall, self._trusted.later(seen.monotonic))

    def doubt(self) -> ClockDoubt | None:
        """Return the leap of the wall clock, None if it is trusted."""
        seen, leapt_to = self._look(), self._leapt_to
        if leapt_to is None:
            return None
        leap = seen.wall - self._trusted.later(seen.monotonic)
        waited = seen.monotonic - leapt_to.monotonic
        return ClockDoubt(leap, seen.wall + WAIT_SECONDS - waited)

    def newest_trusted(self) -> float:
        """Return the time to keep in the store. Later leaps are measured from it."""
        seen = self._look()
        if self._leapt_to is None:
            self._trusted = seen
        return self._trusted.wall

    def _look(self) -> _ClockReading:
        seen = _ClockReading(self._wall(), self._monotonic())
        if _is_near(seen, self._trusted):
            self._leapt_to = None
        elif self._leapt_to is None or not _is_near(seen, self._leapt_to):
            self._leapt_to = seen
        elif seen.monotonic - self._leapt_to.monotonic >= WAIT_SECONDS:
            self._trusted, self._leapt_to = seen, None
        return seen


def _is_near(seen: _ClockReading, before: _ClockReading) -> bool:
    return abs(seen.wall - before.later(seen.monotonic)) <= LEAP_SECONDS
