"""How the last drain of each destination went, so that the next one begins accordingly.

    the last drain                                the next one begins with
    --------------------------------------------  ---------------------------------------------
    there was none, or a connection failed in it  one connection, until its first window is
                                                  settled
    delivered everything, on N connections        up to N connections, the result of the probe
                                                  for CHUNKING, and windows as large as then
    met a rate limit, within the last hour        one connection all the time, by DATA: the
                                                  probe's two MAIL count

In memory only: after a restart each destination is new
(docs/decisions/0012-drain-experience-in-memory.md). But the store remembers the destinations
that have ever taken mail, with the last drain of each domain.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf
from typing import Final

from restante.smtp.chunking_probe import ChunkingProbeResult
from restante.smtp.pipelining import Pipelining

_HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class GoodDrain:
    """The memory of a drain that went well."""

    connections: int
    probed: ChunkingProbeResult | None  # None without pipelining
    proven: int = 0  # messages in the largest window that was answered


@dataclass(frozen=True, slots=True)
class AttemptStart:
    """How an attempt begins."""

    most: int  # connections
    first: int  # how many of them at once
    pipelining: Pipelining  # at most
    probed: ChunkingProbeResult | None
    proven: int = 0  # messages in the largest window that has ever been answered
    is_limited: bool = False  # the destination limits the rate


class DrainExperience:
    """As large as the number of destinations."""

    def __init__(self, monotonic: Callable[[], float], takers: Iterable[str] = ()) -> None:
        """`monotonic` is in seconds. `takers`: the destinations that have ever taken mail."""
        self._monotonic = monotonic
        self._good: dict[str, GoodDrain] = {}
        self._limited_until: dict[str, float] = {}
        self._have_taken = set(takers)
        self._useless_mechanisms: dict[tuple[str, str], set[str]] = {}
        self._unanswered_mechanisms: dict[tuple[str, str], Counter[str]] = {}

    def beginning(self, destination: str, most: int, *, is_paced: bool) -> AttemptStart:
        """Return how an attempt begins.

        `most` connections are allowed. `is_paced`: the number of messages a minute is limited.
        """
        is_limited = self._limited_until.get(destination, -inf) > self._monotonic()
        if is_paced or is_limited:
            return AttemptStart(1, 1, Pipelining.OPENING, None, is_limited=is_limited)
        good = self._good.get(destination, _NONE)
        first = min(good.connections, most)
        return AttemptStart(most, first, Pipelining.AHEAD, good.probed, good.proven)

    def took_mail(self, destination: str) -> None:
        """Remember that it has taken a message."""
        self._have_taken.add(destination)

    def has_taken_mail(self, destination: str) -> bool:
        """Return whether it has ever taken a message."""
        return destination in self._have_taken

    def went_well(self, destination: str, drain: GoodDrain) -> None:
        """Remember a drain that delivered everything."""
        self._good[destination] = drain

    def went_badly(self, destination: str) -> None:
        """Forget what the destination supported before."""
        self._good.pop(destination, None)

    def useless_mechanisms(self, destination: str, user: str) -> set[str]:
        """Return the AUTH mechanisms that it offers and refuses. Sessions add to the set."""
        return self._useless_mechanisms.setdefault((destination, user), set())

    def unanswered_mechanisms(self, destination: str, user: str) -> Counter[str]:
        """Return how many exchanges in a row it has left without a result, by AUTH mechanism."""
        return self._unanswered_mechanisms.setdefault((destination, user), Counter())

    def met_limit(self, destination: str) -> None:
        """Remember that it limits the rate."""
        self.went_badly(destination)
        self._limited_until[destination] = self._monotonic() + _HOUR


_NONE: Final = GoodDrain(1, None)
