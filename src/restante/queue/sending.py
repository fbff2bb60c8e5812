"""What became of an attempt to send something that waits: a report, a notice. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SendingOutcome:
    """Tried again at `next_attempt_at`, or gone where that is None."""

    number: int  # of what was to be sent, in its own series
    next_attempt_at: float | None = None  # Unix time
    reply: str = ""
