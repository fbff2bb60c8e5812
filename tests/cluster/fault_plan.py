"""The faults of a campaign: kind, target and times follow from a seed alone. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SERVERS: Final = 3
PAUSE: Final = (1.5, 4.0)  # seconds from the end of a fault to the next one


class FaultKind(StrEnum):
    """The kinds of fault, as they are printed."""

    KILL = "kill"
    STOP = "stop"
    CRASH = "crash"
    STANDBY_KILL = "standby-kill"
    STANDBY_STOP = "standby-stop"
    ALONE = "alone"
    FAILOVER = "failover"
    SPLIT = "split"
    CUT = "cut"
    STALL = "stall"
    FORGET = "half-open"
    LOSE_ANSWER = "lost-answer"


_RANGES: Final = {  # seconds that a fault lasts
    FaultKind.KILL: (0.5, 7.0),  # until the server is started again
    FaultKind.STOP: (1.0, 9.0),  # a lease is 5 seconds
    FaultKind.CRASH: (0.0, 0.0),
    FaultKind.STANDBY_KILL: (1.0, 3.0),
    FaultKind.STANDBY_STOP: (1.0, 6.0),  # the primary drops it after 4
    FaultKind.ALONE: (2.0, 13.0),  # a commit is waited for 10 seconds
    FaultKind.FAILOVER: (0.0, 2.0),  # without a primary
    FaultKind.SPLIT: (0.0, 4.0),  # with two primaries
    FaultKind.CUT: (0.0, 0.0),
    FaultKind.STALL: (0.5, 12.0),
    FaultKind.FORGET: (0.0, 0.0),
    FaultKind.LOSE_ANSWER: (0.0, 0.0),
}
_OF_A_STANDBY: Final = (FaultKind.STANDBY_KILL, FaultKind.STANDBY_STOP)
_OF_ALL: Final = (FaultKind.CRASH, FaultKind.ALONE, FaultKind.FAILOVER, FaultKind.SPLIT)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault."""

    kind: FaultKind
    target: int  # a server; for faults of a standby, one of the two by name
    after: float  # seconds after the end of the fault before it
    lasts: float  # seconds

    def __str__(self) -> str:
        if self.kind in _OF_ALL:
            target = ""
        else:
            target = f" {'standby' if self.kind in _OF_A_STANDBY else 'server'} {self.target}"
        lasts = f", for {self.lasts:.1f} s" if self.lasts else ""
        return f"+{self.after:.1f} s: {self.kind}{target}{lasts}"


def plan_faults(seed: int, count: int) -> list[Fault]:
    """Return so many faults. In each dozen, every kind comes once. More faults begin alike."""
    order, chance = random.Random(seed), random.Random(f"details of {seed}")
    kinds: list[FaultKind] = []
    while len(kinds) < count:
        dozen = list(FaultKind)
        order.shuffle(dozen)
        kinds += dozen
    return [_fault(kind, chance) for kind in kinds[:count]]


def _fault(kind: FaultKind, chance: random.Random) -> Fault:
    targets = SERVERS - 1 if kind in _OF_A_STANDBY else SERVERS
    target = 0 if kind in _OF_ALL else chance.randrange(targets)
    after, lasts = (round(chance.uniform(*span), 1) for span in (PAUSE, _RANGES[kind]))
    return Fault(kind, target, after, lasts)
