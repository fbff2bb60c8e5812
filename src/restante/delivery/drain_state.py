"""A drain as `restante status` shows it."""

from collections import Counter
from dataclasses import dataclass

from restante.queue.deferral_cause import DeferralCause
from restante.queue.drain_word import DrainState, DrainWay
from restante.store.handover_store import Drain
from restante.tenancy.model import HostedDomain


@dataclass(frozen=True, slots=True)
class DrainSnapshot:
    """One drain at one moment. Counts are of messages, since it started."""

    domain: str
    destination: str
    started_at: float
    delivered: int
    refused: int
    deferred: int
    connections: int
    state: DrainState
    next_attempt_at: float | None
    last_error: str
    hindrance: DeferralCause | None = None  # the cause that it indicates
    uncertain: int = 0  # not among the refused
    way: DrainWay = DrainWay.DESTINATION
    rate: float = 0.0  # messages delivered a second, in the last half minute of progress
    last_reply: str = ""  # of the destination about a message
    last_reply_at: float | None = None  # Unix time
    failed_at: float | None = None  # Unix time: the end of the last attempt, if it failed


@dataclass(frozen=True, slots=True)
class DrainCensus:
    """All drains at one moment, counted."""

    states: Counter[DrainState]
    connections: int


def unclaimed_view(drain: Drain, domain: HostedDomain) -> DrainSnapshot:
    """Return the view of a drain on record that does not run here."""
    return DrainSnapshot(
        domain=domain.name,
        destination=("turnaround" if drain.way is DrainWay.TURNAROUND else domain.destination.text),
        started_at=drain.requested_at,
        delivered=0,
        refused=0,
        deferred=0,
        connections=0,
        state=DrainState.UNCLAIMED,
        next_attempt_at=None,
        last_error="",
        way=drain.way,
    )
