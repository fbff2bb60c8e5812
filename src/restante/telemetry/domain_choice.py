"""The domains that have metrics of their own: a bounded number, which seldom changes. Pure.

A series that comes and goes is of little use in a graph. So a domain that is shown stays, also
while it holds less than another that is not, until that one holds half as much again.
"""

from collections.abc import Collection, Mapping
from heapq import nlargest, nsmallest
from typing import Final

MARGIN: Final = 1.5  # times the held mail of the domain that is displaced


class DomainChoice:
    """Remembers the domains that it chose last."""

    def __init__(self) -> None:
        self._shown: frozenset[str] = frozenset()

    def choose(
        self, hosted: Collection[str], held: Mapping[str, int], limit: int | None
    ) -> frozenset[str]:
        """Return at most `limit` of the hosted domains (None: all), those with the most held mail.

        `held` has the number of held messages by domain. It may lack domains with none.
        """
        if limit is None or len(hosted) <= limit:
            self._shown = frozenset(hosted)
            return self._shown

        def most_first(name: str) -> tuple[int, str]:
            return -held.get(name, 0), name

        shown = set(nsmallest(limit, self._shown.intersection(hosted), most_first))
        if len(shown) < limit:
            others = (name for name in hosted if name not in shown)
            shown.update(nsmallest(limit - len(shown), others, most_first))
        least = sorted(shown, key=lambda name: held.get(name, 0))
        outside = (name for name in held if name in hosted and name not in shown)
        most = nlargest(limit, outside, lambda name: held[name])
        for leaving, coming in zip(least, most, strict=False):
            if held[coming] <= MARGIN * held.get(leaving, 0):
                break
            shown.remove(leaving)
            shown.add(coming)
        self._shown = frozenset(shown)
        return self._shown
