"""When a domain is drilled by itself, and when its proof is old. Pure.

Theory of operation. A domain with a timer is drilled again one period after its last drill, or a
little earlier. A drill by hand counts too. The exact time differs from domain to domain and from
drill to drill. So ten thousand domains that were drilled at the same time drift apart. For the same
reason a new timer has its first drill within a week, and not at once. After a drill that failed,
the next one is due a day later.

A proof is old after 90 days, and with a timer after two of its periods. Then drills fail, or
something keeps them from being made. That is told once, and again each time the age has doubled.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from restante.readiness.drill_facts import DrillFacts
from restante.tenancy.policy import DAY

SHORTEST_PERIOD: Final = DAY  # of a timer
LONGEST_PERIOD: Final = 366 * DAY
OLD_SECONDS: Final = 90 * DAY  # of a proof, without a timer
FIRST_SECONDS: Final = 7 * DAY  # within which the first drill of a timer is made
AGAIN_SECONDS: Final = DAY  # after a drill that failed
EARLIEST: Final = 0.9  # of a period
_SHARES: Final = 2**32


@dataclass(frozen=True, slots=True)
class DueDrill:
    """A domain whose drill is due."""

    domain_id: int
    account: str
    at: float  # Unix time since which it is


@dataclass(frozen=True, slots=True)
class DrillObstacles:
    """The facts that keep the timer from drilling a domain now."""

    is_suspended: bool = False
    is_reachable: bool = True  # it has a destination
    awaits_proof: bool = False  # its mail is not taken yet
    is_draining: bool = False  # its mail is on its way, or its drain waits to try again
    has_failed_drain: bool = False  # the last drain was given up, and mail is held
    is_down: bool = False  # the destination is seen to be away


def may_drill(obstacles: DrillObstacles) -> bool:
    """Tell whether the timer may drill a domain now. Somebody who drills by hand decides alone."""
    return obstacles.is_reachable and not (
        obstacles.is_suspended
        or obstacles.awaits_proof
        or obstacles.is_draining
        or obstacles.has_failed_drain
        or obstacles.is_down
    )


def next_drill(domain: str, every: float | None, facts: DrillFacts) -> float | None:
    """Return the Unix time of the next drill by the timer; None without one.

    `every` is its period in seconds.
    """
    if every is None or facts.timed_since is None:
        return None
    first = facts.timed_since + _share(domain) * min(every, FIRST_SECONDS)
    last = facts.last_at
    if last is None:
        return first
    pause = every if facts.failed_at is None else min(every, AGAIN_SECONDS)
    return max(first, last + pause * (1 - (1 - EARLIEST) * _share(f"{last:.0f} {domain}")))


def _share(text: str) -> float:
    """Return a number from 0 up to 1, the same for the same text."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) / _SHARES


def proof_limit(every: float | None) -> float:
    """Return the seconds after which a proof is old."""
    return OLD_SECONDS if every is None else 2 * every


def proof_age(every: float | None, facts: DrillFacts, now: float) -> float:
    """Return the seconds since the last proof; with a timer, since its beginning at most.

    Without a timer, a domain that was never proven has no proof that could be old.
    """
    known = [facts.passed_at] if every is None else [facts.passed_at, facts.timed_since]
    return now - max((one for one in known if one is not None), default=now)


def age_step(every: float | None, facts: DrillFacts, now: float) -> int:
    """Return how old the proof is, in limits: 0 below one, then 1, 2, 4 and so on."""
    limits = int(proof_age(every, facts, now) / proof_limit(every))
    return 0 if limits < 1 else 1 << (limits.bit_length() - 1)


def fair_choice(due: Iterable[DueDrill], most: int) -> Sequence[DueDrill]:
    """Return the drills to make now. Accounts take turns, each with those due longest first."""
    places = Counter[str]()
    ranked = []
    for one in sorted(due, key=lambda drill: drill.at):
        ranked.append((places[one.account], one.at, one))
        places[one.account] += 1
    return [one for *_, one in sorted(ranked, key=lambda each: each[:2])[:most]]
