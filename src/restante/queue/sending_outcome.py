"""A report or a notice that waits to be sent, and the outcome of an attempt to send it. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits to be sent, and since when the oldest of it does."""

    count: int = 0
    since: float | None = None  # Unix time at which it was made; None where nothing waits


@dataclass(frozen=True, slots=True)
class SendingOutcome:
    """Tried again at `next_attempt_at`, or removed where that is None."""

    number: int  # of the report or notice, in its own series
    next_attempt_at: float | None = None  # Unix time
    reply: str = ""
