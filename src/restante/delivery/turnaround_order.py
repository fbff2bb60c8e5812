"""Where the turnarounds of an account go on. Pure.

A turnaround that ends before everything was tried was often ended by the mail itself. Ten messages
in a row are deferred, or one breaks the connection. If the next one began with the same mail, the
mail behind it would wait until that mail expires. So it begins with the domains that were tried
longest ago, and in each domain behind the message that was last tried. The mail before that comes
last.

Places are numbers that a store keeps as marks (kept_places.py). A domain without one was never left
behind, and comes first.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from restante.tenancy.model import HostedDomain


@dataclass(frozen=True, slots=True)
class TurnPlaces:
    """The places of domains, by id."""

    turns: Mapping[int, float] = field(default_factory=dict)  # grow from try to try
    messages: Mapping[int, float] = field(default_factory=dict)  # numbers that were last tried

    def in_turn(self, domains: Sequence[HostedDomain]) -> Sequence[HostedDomain]:
        """Return the domains, the one that was tried longest ago first."""
        return sorted(domains, key=lambda one: self.turns.get(one.id, 0.0))

    def behind(self, domain_id: int) -> int:
        """Return the number of the message behind which to begin, 0 for the oldest one."""
        return int(self.messages.get(domain_id, 0.0))

    def of(self, domain_id: int) -> tuple[float | None, float | None]:
        """Return the turn and the message of a domain."""
        return self.turns.get(domain_id), self.messages.get(domain_id)


@dataclass(frozen=True, slots=True)
class TriedMail:
    """The mail that a turnaround has tried."""

    messages: Mapping[int, int]  # the last number of each domain, 0 for none, in their order
    last_domain: int | None  # of the message that was tried last; None for none
    is_whole: bool  # everything was tried


def places_after(before: TurnPlaces, tried: TriedMail) -> TurnPlaces:
    """Return the places after a turnaround; none of its domains' if everything was tried."""
    turns, messages = dict(before.turns), dict(before.messages)
    if tried.is_whole:
        for domain_id in tried.messages:
            turns.pop(domain_id, None)
            messages.pop(domain_id, None)
        return TurnPlaces(turns, messages)
    begun = [one for one, number in tried.messages.items() if number]
    begun.sort(key=lambda one: one == tried.last_domain)  # it may have had its turn before others
    last = max(turns.values(), default=0.0)
    for turn, domain_id in enumerate(begun, 1):
        turns[domain_id] = last + turn
        messages[domain_id] = _not_below(tried.messages[domain_id])
    return TurnPlaces(turns, messages)


def _not_below(number: int) -> float:
    """Return a float for the number of a message, or for one just above it.

    Numbers are too large for a float by some bits. To repeat the message could stop the turnaround
    again. To pass over those of the same microsecond does no harm: they come last.
    """
    place = float(number)
    return place if place >= number else math.nextafter(place, math.inf)
