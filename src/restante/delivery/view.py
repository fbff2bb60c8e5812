"""A drain as `restante status` shows it."""

from dataclasses import dataclass
from enum import StrEnum


class DrainState(StrEnum):
    """What a drain is doing."""

    WAITING_TURN = "waiting its turn"
    LOOKING_UP = "looking up the destination"
    DELIVERING = "delivering"
    SETTLING = "settling"
    WAITING_TO_RETRY = "waiting to retry"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class DrainView:
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
