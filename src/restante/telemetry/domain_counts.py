"""Counts of deliveries by domain, for a choice of domains that changes.

Each event is counted once. It goes into its domain's own count if the domain was shown when it
happened, and into the count of the rest otherwise. So no count ever falls, and their sum is right,
whatever the choice.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from restante.telemetry.events import (
    DeliveryDeferred,
    DeliveryRefused,
    Event,
    MessageDelivered,
)

COUNTED: Final[tuple[type[Event], ...]] = (MessageDelivered, DeliveryDeferred, DeliveryRefused)

_PLACES: Final = {kind: place for place, kind in enumerate(COUNTED)}


@dataclass(frozen=True, slots=True)
class DomainTotals:
    """The counts since the start."""

    delivered: int = 0  # messages
    deferred: int = 0  # recipients
    refused: int = 0  # recipients, by the destination


class _DomainSums:
    __slots__ = ("new", "own")

    def __init__(self) -> None:
        self.new = [0] * len(COUNTED)  # since the last reading
        self.own = [0] * len(COUNTED)  # while it was shown


class DomainCounts:
    """The counts since the start, by domain. Belongs to the event loop."""

    def __init__(self) -> None:
        self._sums: dict[str, _DomainSums] = {}
        self._rest = [0] * len(COUNTED)
        self._shown: frozenset[str] = frozenset()  # at the last reading
        self._known: frozenset[str] = frozenset()  # at the last reading, with a count

    def count(self, event: Any) -> None:
        """Count an event of one of the types `COUNTED`."""
        sums = self._sums.get(event.domain)
        if sums is None:
            sums = self._sums[event.domain] = _DomainSums()
        sums.new[_PLACES[type(event)]] += 1

    def read(
        self, shown: frozenset[str], hosted: Collection[str]
    ) -> tuple[Mapping[str, DomainTotals], DomainTotals]:
        """Return the counts of the domains shown, and those of the rest.

        `shown` are shown from now on. A domain that is not hosted any more is forgotten.
        """
        for name, sums in list(self._sums.items()):
            is_own = name in shown and (name in self._shown or name not in self._known)
            into = sums.own if is_own else self._rest
            for place, new in enumerate(sums.new):
                into[place] += new
                sums.new[place] = 0
            if name not in hosted:
                del self._sums[name]
        self._shown, self._known = shown, frozenset(self._sums)
        own = {name: DomainTotals(*self._sums[name].own) for name in shown & self._known}
        return own, DomainTotals(*self._rest)
