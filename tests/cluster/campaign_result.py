"""The results of a campaign, and the demands on them. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.cluster.fault_plan import Fault
from tests.cluster.live_owners import Overlap, Stop, Taken, is_excused, overlaps

TAKEOVER: Final = 10.0  # seconds
IN_FLIGHT: Final = 0.5  # seconds in which the sink still takes what a killed server has sent
LEAVES: Final = 75  # the exit code of a server that found its place taken, and is started again


@dataclass(slots=True)
class Result:
    """The results of a campaign."""

    seed: int
    window: int  # messages that one fault may double
    faults: list[Fault] = field(default_factory=list)
    acknowledged: int = 0
    lost: set[str] = field(default_factory=set)
    copies: int = 0
    most_of_one: int = 0  # copies of one message
    drift: int = 0  # domains whose figures are not those of a recount
    takeovers: list[float] = field(default_factory=list)  # seconds
    recoveries: list[float] = field(default_factory=list)  # seconds until mail is accepted again
    double_owners: list[Overlap] = field(default_factory=list)
    excused: int = 0  # deliveries at the same time, by a server that had been stopped
    replies: Counter[str] = field(default_factory=Counter)  # to senders, by code
    slowest: dict[str, float] = field(default_factory=dict)  # replies to content, by code
    exits: Counter[int] = field(default_factory=Counter)  # of servers that left by themselves
    answers_lost: int = 0
    rewound: Counter[bool] = field(default_factory=Counter)  # former primaries; False: copied

    def take_deliveries(
        self, taken: Sequence[Taken], acknowledged: set[str], stops: Sequence[Stop]
    ) -> None:
        """Judge the deliveries."""
        counts = Counter(one.token for one in taken)
        self.acknowledged = len(acknowledged)
        self.lost = acknowledged - counts.keys()
        self.copies = counts.total() - len(counts)
        self.most_of_one = max(counts.values(), default=1) - 1
        for overlap in overlaps(taken):
            if is_excused(overlap, stops):
                self.excused += 1
            else:
                self.double_owners.append(overlap)

    @property
    def copies_allowed(self) -> int:
        """How many copies the faults may have made."""
        return len(self.faults) * self.window

    @property
    def slowest_takeover(self) -> float:
        """The 99th percentile, which is the slowest of up to a hundred."""
        ordered = sorted(self.takeovers)
        return ordered[math.ceil(len(ordered) * 0.99) - 1] if ordered else 0.0

    def complaints(self, takeover: float = TAKEOVER) -> Iterator[str]:
        """Yield what is not as it must be. A takeover may last so many seconds."""
        if not self.acknowledged:
            yield "nothing was acknowledged"
        if self.lost:
            yield f"{len(self.lost)} lost, such as {sorted(self.lost)[:5]}"
        if self.copies > self.copies_allowed:
            yield f"{self.copies} copies, and at most {self.copies_allowed} are allowed"
        if self.drift:
            yield f"the figures of {self.drift} domains are wrong"
        if self.slowest_takeover >= takeover:
            yield f"a takeover took {self.slowest_takeover:.2f} s"
        if self.double_owners:
            yield f"two live owners: {self.double_owners[:3]}"
        if permanent := {code for code in self.replies if code.startswith("5")}:
            yield f"senders were refused for good: {permanent}"
        if others := self.exits.keys() - {LEAVES}:
            yield f"servers left with {sorted(others)}"

    def __str__(self) -> str:
        kinds = Counter(str(fault.kind) for fault in self.faults)
        faults = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        median = sorted(self.takeovers)[len(self.takeovers) // 2] if self.takeovers else 0.0
        slowest = ", ".join(f"{code} {time:.1f} s" for code, time in sorted(self.slowest.items()))
        replies = ", ".join(f"{code} {count}" for code, count in sorted(self.replies.items()))
        exits = ", ".join(f"{count} with {code}" for code, count in sorted(self.exits.items()))
        return (
            f"seed {self.seed}: {len(self.faults)} faults: {faults}\n"
            f"{self.acknowledged} acknowledged, {len(self.lost)} lost, {self.copies} copies (at"
            f" most {self.copies_allowed} allowed, {self.most_of_one} of one message)\n"
            f"{len(self.takeovers)} takeovers: median {median:.2f} s, 99 %"
            f" {self.slowest_takeover:.2f} s, slowest {max(self.takeovers, default=0.0):.2f} s\n"
            f"mail accepted again after a fault of the database: slowest"
            f" {max(self.recoveries, default=0.0):.2f} s of {len(self.recoveries)}\n"
            f"two live owners: {len(self.double_owners)}; {self.excused} deliveries of servers that"
            " had been stopped came late\n"
            f"{self.drift} figures wrong; {self.answers_lost} answers to commits lost; servers that"
            f" left: {exits or 'none'}; former primaries: {self.rewound[True]} rewound,"
            f" {self.rewound[False]} copied\n"
            f"replies to senders: {replies}; slowest to content: {slowest}"
        )
