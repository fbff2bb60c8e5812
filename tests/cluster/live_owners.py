"""Whether two servers delivered mail of one domain at the same time. Pure.

A delivery lasts from MAIL to the end of the content, as the destination sees it. Deliveries of one
domain by two servers must not overlap. A server that was stopped cannot look at its clock. Mail
that it sent before may overlap, and mail that it sends until its first look at the lease. Such
overlaps are counted apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

FIRST_LOOK: Final = 1.5  # seconds: a look at the lease each second, on a busy machine


@dataclass(frozen=True, slots=True)
class Taken:
    """One message, as the destination took it. Times are monotonic."""

    token: str
    node: str  # the name in EHLO
    domain: str
    begun: float  # MAIL
    at: float  # before the 250


class Stop(NamedTuple):
    """A time in which a server was stopped."""

    node: str
    begun: float
    ended: float


class Overlap(NamedTuple):
    """Two deliveries of one domain at the same time."""

    former: Taken  # the one that began first
    latter: Taken


def overlaps(taken: Sequence[Taken]) -> Iterator[Overlap]:
    """Yield each delivery that began before another server's of the same domain had ended."""
    by_domain = sorted(taken, key=lambda one: (one.domain, one.begun))
    for _, of_domain in groupby(by_domain, key=lambda one: one.domain):
        last: dict[str, Taken] = {}  # by server: the delivery that ends last
        for one in of_domain:
            for other in last.values():
                if other.node != one.node and other.at > one.begun:
                    yield Overlap(other, one)
            if one.node not in last or last[one.node].at < one.at:
                last[one.node] = one


def is_excused(overlap: Overlap, stops: Sequence[Stop]) -> bool:
    """Tell whether one of the two servers was stopped, or had just come back from it."""
    return any(
        one.node == stop.node and stop.begun <= one.at <= stop.ended + FIRST_LOOK
        for one in overlap
        for stop in stops
    )
