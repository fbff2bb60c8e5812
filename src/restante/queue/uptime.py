"""How long a destination answered, from the changes of its state. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from restante.queue.presence import DestinationState, PresenceChange


@dataclass(frozen=True, slots=True)
class Uptime:
    """Seconds of a time span by the state of a destination. The rest of it is unknown."""

    up: float = 0.0
    away: float = 0.0
    outages: int = 0  # that began or lasted in the span

    @property
    def ratio(self) -> float | None:
        """The part of the known time in which it answered; None if nothing is known."""
        known = self.up + self.away
        return self.up / known if known else None


@dataclass(frozen=True, slots=True)
class StateStretch:
    """A time in which a destination was in one state, within a span of time."""

    since: float  # Unix time
    until: float
    seen: DestinationState
    reason: str = ""  # why it was found away


def stretches(
    changes: Iterable[PresenceChange], since: float, until: float
) -> Iterator[StateStretch]:
    """Yield the stretches between two times, newest first. Before the first one nothing is known.

    `changes` are those of one destination, newest first. They must reach back to the last one
    before `since`, if there is one.
    """
    end = until
    for change in changes:
        begin = max(change.at, since)
        if begin < end:
            yield StateStretch(begin, end, change.seen, change.reason)
            end = begin
        if change.at <= since:
            break


def uptime(changes: Iterable[PresenceChange], since: float, until: float) -> Uptime:
    """Return the uptime between two times, of the same changes as `stretches`."""
    spent = dict.fromkeys(DestinationState, 0.0)
    outages = 0
    for one in stretches(changes, since, until):
        spent[one.seen] += one.until - one.since
        outages += one.seen is DestinationState.AWAY
    return Uptime(spent[DestinationState.UP], spent[DestinationState.AWAY], outages)
