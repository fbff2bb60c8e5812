"""How the last drain of each destination went, so that the next one begins accordingly.

    the last drain                                the next one begins with
    --------------------------------------------  ---------------------------------------------
    there was none, or a connection failed in it  one connection, until its first window is
                                                  settled
    delivered everything, on N connections,       up to N connections, the result of the probe
    within the last day                           for CHUNKING, and windows as large as at its end
    lost a connection while others worked,        as many at once as were left then, at most; more
    within the last hour                          only one step after the other
    met a rate limit, within the last hour        one connection all the time, by DATA: the
                                                  probe's two MAIL count

A server with another offer at EHLO is probed again, and its windows begin small.

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
from restante.smtp.window_size import FEWEST_MESSAGES

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class GoodDrain:
    """The memory of a drain that went well."""

    connections: int
    probed: ChunkingProbeResult | None  # None without pipelining
    proven: int = 0  # messages in the largest window that was answered
    window: int = FEWEST_MESSAGES  # messages of the window that the next one would have been


@dataclass(frozen=True, slots=True)
class AttemptStart:
    """How an attempt begins."""

    most: int  # connections
    first: int  # how many of them at once
    pipelining: Pipelining  # at most
    probed: ChunkingProbeResult | None
    proven: int = 0  # messages in the largest window that has ever been answered
    is_limited: bool = False  # the destination limits the rate
    window: int = FEWEST_MESSAGES  # messages of the first window, if so many are proven
    at_once: int | None = None  # connections made in one step, at most; None: all


class DrainExperience:
    """As large as the number of destinations."""

    def __init__(self, monotonic: Callable[[], float], takers: Iterable[str] = ()) -> None:
        """`monotonic` is in seconds. `takers`: the destinations that have ever taken mail."""
        self._monotonic = monotonic
        self._good: dict[str, tuple[GoodDrain, float]] = {}  # and when it ended
        self._crowds: dict[str, tuple[int, float]] = {}  # connections left, and until when
        self._limited_until: dict[str, float] = {}
        self._have_taken = set(takers)
        self._useless_mechanisms: dict[tuple[str, str], set[str]] = {}
        self._unanswered_mechanisms: dict[tuple[str, str], Counter[str]] = {}

    def beginning(self, destination: str, most: int, *, is_paced: bool) -> AttemptStart:
        """Return how an attempt begins.

        `most` connections are allowed. `is_paced`: the number of messages a minute is limited.
        """
        now = self._monotonic()
        is_limited = self._limited_until.get(destination, -inf) > now
        if is_paced or is_limited:
            return AttemptStart(1, 1, Pipelining.OPENING, None, is_limited=is_limited)
        good, ended_at = self._good.get(destination, (_NONE, now))
        if now - ended_at >= _DAY:
            good = _NONE
        left, until = self._crowds.get(destination, (most, now))
        return AttemptStart(
            most,
            min(good.connections, most),
            Pipelining.AHEAD,
            good.probed,
            good.proven,
            window=good.window,
            at_once=left if until > now else None,
        )

    def took_mail(self, destination: str) -> None:
        """Remember that it has taken a message."""
        self._have_taken.add(destination)

    def has_taken_mail(self, destination: str) -> bool:
        """Return whether it has ever taken a message."""
        return destination in self._have_taken

    def went_well(self, destination: str, drain: GoodDrain) -> None:
        """Remember a drain that delivered everything."""
        self._good[destination] = drain, self._monotonic()

    def went_badly(self, destination: str) -> None:
        """Forget what the destination supported before."""
        self._good.pop(destination, None)

    def was_crowded(self, destination: str, left: int) -> None:
        """Remember that it ended a connection while so many others worked."""
        self._crowds[destination] = left, self._monotonic() + _HOUR

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
