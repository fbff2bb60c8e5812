"""Events of drills: one message that goes the whole way of a domain's mail."""

from dataclasses import dataclass
from typing import ClassVar

from restante.telemetry.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillPassed(Event):
    """A drill proved that held mail of a domain arrives."""

    event: ClassVar[str] = "drill-passed"
    domain: str
    account: str
    seconds: float
    proven_again: bool  # before, drills failed or the proof was old


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillFailed(Event):
    """A drill of a domain failed; its message was removed."""

    event: ClassVar[str] = "drill-failed"
    domain: str
    account: str
    failures: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillProofOld(Event):
    """The last proof of a domain by a drill is old, or its timer has brought none."""

    event: ClassVar[str] = "drill-proof-old"
    domain: str
    account: str
    age_days: int
