"""The most that a domain held in each slot of time, for a chart of its held mail. Pure.

Slots are of two widths: narrow ones show the last days, wide ones the last months. A domain that
held nothing in a slot has no peak there.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from restante.tenancy.policy import DAY

NARROW: Final = 600  # seconds
WIDE: Final = 3600
KEPT: Final[Mapping[int, float]] = {NARROW: 2 * DAY, WIDE: 90 * DAY}  # seconds, by width


class PeakPlace(NamedTuple):
    """A slot of a domain while it belonged to an account."""

    domain_id: int
    account: str
    width: int  # seconds
    at: int  # Unix time of the slot's beginning, a multiple of the width


class HeldAmount(NamedTuple):
    """Mail held at one moment."""

    messages: int  # that a release would hand over
    octets: int  # of all stored mail, refused mail included


class HeldPeak(NamedTuple):
    """The largest number of messages and the largest size in a slot, each by itself."""

    place: PeakPlace
    held: HeldAmount


def larger(one: HeldAmount, other: HeldAmount) -> HeldAmount:
    """Return the larger number and the larger size of two."""
    return HeldAmount(max(one.messages, other.messages), max(one.octets, other.octets))


class PeakTally:
    """Peaks that are not stored yet."""

    def __init__(self) -> None:
        self._peaks: dict[PeakPlace, HeldAmount] = {}

    def add(self, domain_id: int, account: str, held: HeldAmount, now: float) -> None:
        """Count what a domain holds at a time, unless it holds nothing."""
        if not held.octets and not held.messages:
            return
        for width in KEPT:
            place = PeakPlace(domain_id, account, width, int(now // width) * width)
            known = self._peaks.get(place)
            self._peaks[place] = held if known is None else larger(known, held)

    def take(self) -> list[HeldPeak]:
        """Return the peaks and begin again."""
        peaks = [HeldPeak(place, held) for place, held in self._peaks.items()]
        self._peaks.clear()
        return peaks


def merged(peaks: Iterable[HeldPeak], width: int) -> list[HeldPeak]:
    """Return the peaks of one domain in wider slots. `width` is a multiple of theirs."""
    wider: dict[PeakPlace, HeldAmount] = {}
    for place, held in peaks:
        slot = place._replace(width=width, at=place.at // width * width)
        wider[slot] = larger(wider.get(slot, held), held)
    return [HeldPeak(place, held) for place, held in wider.items()]


def stored_width(age: float) -> int:
    """Return the width of the narrowest slots that are still kept at an age in seconds."""
    return NARROW if age <= KEPT[NARROW] else WIDE


def shown_width(span: float, width: int, points: int) -> int:
    """Return the multiple of a width of which at most a number of slots fill a span of seconds."""
    return width * max(1, math.ceil(span / width / points))
