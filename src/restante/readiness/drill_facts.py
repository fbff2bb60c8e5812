"""The last drills of a domain, and the row about them in its check. Pure.

A drill proves something about the destination of its time. After a change of host, port or passing
of clients, it proves nothing about the new one.
"""

from dataclasses import dataclass, replace
from typing import Final, Self
from zlib import crc32

from restante.mail.quantity import counted
from restante.readiness.readiness_row import (
    ReadinessCheck,
    ReadinessRow,
    not_known,
    passed,
    warned,
)
from restante.tenancy.model import Destination

FORMER: Final = ", before the destination was changed"
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class DrillFacts:
    """The last drills. Unix time; None: there was none."""

    passed_at: float | None = None
    seconds: float = 0.0  # of the last one that passed: from the request to the destination's reply
    failed_at: float | None = None  # of one after the last that passed
    failures: int = 0  # in a row
    timed_since: float | None = None  # when its timer was first seen
    told_step: int = 0  # of the age of its proof that was told (`drill_timer`)
    destination: float | None = None  # the mark of the one that took its message; None: not known
    is_former: bool = False  # the domain has another destination by now

    @property
    def last_at(self) -> float | None:
        """Return when the last one ended."""
        return self.passed_at if self.failed_at is None else self.failed_at

    def at(self, destination: Destination) -> Self:
        """Return the facts for the present destination."""
        return replace(self, is_former=is_former(self.destination, destination))


NO_DRILL: Final = DrillFacts()


def destination_mark(destination: Destination) -> float:
    """Return a number that is another one for another host, port or passing of clients."""
    return float(crc32(f"{destination.text} {destination.client_address}".encode()))


def is_former(mark: float | None, destination: Destination) -> bool:
    """Tell whether a mark is of another destination. One that is not known is not."""
    return mark is not None and mark != destination_mark(destination)


def drill_row(domain: str, facts: DrillFacts, now: float, limit: float) -> ReadinessRow:
    """Return the row of a domain's check. `limit`: the seconds after which a proof is old."""
    check, remedy = ReadinessCheck.DRILL, f"run `restante drill {domain}`"
    if facts.failed_at is not None:
        evidence = f"the last drill failed {_when(facts.failed_at, now)}"
        return warned(check, evidence, f"{remedy}, and see its answer")
    if facts.passed_at is None:
        return not_known(check, "no drill has proven that held mail arrives", remedy)
    evidence = proven_text(facts, now)
    if facts.is_former or now - facts.passed_at > limit:
        return warned(check, evidence, remedy)
    return passed(check, evidence)


def proven_text(facts: DrillFacts, now: float) -> str:
    """Return a text such as "proven 12 days ago in 1.9 s"; "" without a proof."""
    if facts.passed_at is None:
        return ""
    former = FORMER if facts.is_former else ""
    return f"proven {_when(facts.passed_at, now)} in {facts.seconds:.1f} s{former}"


def _when(at: float, now: float) -> str:
    days = int((now - at) / _DAY)
    return f"{counted(days, 'day')} ago" if days else "today"


def drill_text(facts: DrillFacts, now: float) -> str:
    """Return the last drill in words; "" if there was none."""
    if facts.failed_at is not None:
        return f"failed {_when(facts.failed_at, now)}"
    return proven_text(facts, now)
