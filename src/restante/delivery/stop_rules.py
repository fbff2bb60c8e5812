"""When the outcomes of an attempt end it. Pure.

    the outcomes                                               the attempt ends as
    ---------------------------------------------------------  -------------------
    the destination limits the rate (queue/deferral_cause.py)  LIMITED
    ten messages in a row were deferred (not counted: for      STOPPED
    the state of a mailbox, for up to 20 mailboxes)
    it refuses everything (queue/broken_destination.py)        REFUSING

An attempt that ends begins no more messages.
"""

from typing import Final, NamedTuple

from restante.delivery.attempt_end import AttemptKind
from restante.queue.broken_destination import BrokenDestinationDetector
from restante.queue.deferral_cause import DeferralCause, concerns_mailbox, hindrance
from restante.queue.recipient_status import MessageOutcome, RecipientMove

DEFERRED_LIMIT: Final = 10  # messages in a row
MAILBOXES_LIMIT: Final = (
    20  # deferred for their state, none delivered: then it says so of everybody
)


class AttemptStop(NamedTuple):
    """Why an attempt begins no more messages."""

    reason: str
    kind: AttemptKind


class StopRules:
    """Counts the outcomes of one attempt."""

    def __init__(self, refusals: BrokenDestinationDetector) -> None:
        """`refusals` are those of the drain."""
        self._refusals = refusals
        self._deferred_in_a_row = 0
        self._mailboxes: set[str] = set()  # deferred for their state since the last delivery

    def answered(self, outcome: MessageOutcome, refusals_limit: int) -> AttemptStop | None:
        """Count the destination's answer, whatever policy makes of it."""
        reason = self._refusals.take(outcome, refusals_limit)
        return AttemptStop(reason, AttemptKind.REFUSING) if reason else None

    def delivered(self) -> None:
        """Count a message that was taken."""
        self._deferred_in_a_row = 0
        self._mailboxes.clear()

    def not_delivered(self, outcome: MessageOutcome) -> AttemptStop | None:
        """Count a message that was not taken for all its recipients."""
        if not self._is_about_mailboxes(outcome):
            moves = {recipient.move for recipient in outcome.recipients}
            self._deferred_in_a_row = (
                self._deferred_in_a_row + 1 if moves == {RecipientMove.DEFERRED} else 0
            )
        for recipient in outcome.recipients:
            if hindrance(recipient) is DeferralCause.RATE:
                limited = f"the destination limits the rate: {recipient.reply}"
                return AttemptStop(limited, AttemptKind.LIMITED)
        if self._deferred_in_a_row >= DEFERRED_LIMIT:
            last = outcome.recipients[-1].reply
            in_a_row = f"{DEFERRED_LIMIT} messages in a row were deferred: {last}"
            return AttemptStop(in_a_row, AttemptKind.STOPPED)
        return None

    def _is_about_mailboxes(self, outcome: MessageOutcome) -> bool:
        """Return whether every recipient was deferred for its mailbox, and these are few so far."""
        if not all(map(concerns_mailbox, outcome.recipients)):
            return False
        self._mailboxes.update(recipient.forward_path for recipient in outcome.recipients)
        return len(self._mailboxes) <= MAILBOXES_LIMIT
