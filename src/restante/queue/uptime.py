"""How long a destination answered, from the changes of its state. Pure."""

from collections.abc import Iterable
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


def uptime(changes: Iterable[PresenceChange], since: float, until: float) -> Uptime:
    """Return the uptime between two times.

    `changes` are those of one destination, newest first. They must reach back to the last one
    before `since`, if there is one.
    """
    spent = dict.fromkeys(DestinationState, 0.0)
    outages, end = 0, until
    for change in changes:
        begin = max(change.at, since)
        if begin < end:
            spent[change.seen] += end - begin
            outages += change.seen is DestinationState.AWAY
            end = begin
        if change.at <= since:
            break
    return Uptime(spent[DestinationState.UP], spent[DestinationState.AWAY], outages)
