"""When the outcomes of an attempt end it. Pure.

    the outcomes                                               the attempt ends as
    ---------------------------------------------------------  -------------------
    the destination limits the rate (queue/deferral_cause.py)  LIMITED
    ten messages in a row were deferred (not counted: for      STOPPED
    the state of a mailbox, for up to 20 mailboxes)
    it refuses everything (queue/broken_destination.py)        REFUSING

Where the destination is told the client of each message, much of this is about the client:

    the reply to mail in the name of a client         it counts
    ------------------------------------------------  ------------------------------------------
    4xx: too much from that client                    not, for up to 20 clients in a row
    4xx: a policy (queue/deferred_by_policy.py)       not here: refused_clients.py
    4xx: anything else, at RCPT (or MAIL)             for each client alone; see refused_clients.py
    5xx: a policy (X.7.x)                             not here: refused_clients.py
    the client is refused before its mail             not here: refused_clients.py

An attempt that ends begins no more messages.
"""

from collections import Counter
from typing import Final, NamedTuple

from restante.delivery.attempt_end import AttemptKind
from restante.queue.broken_destination import BrokenDestinationDetector
from restante.queue.deferral_cause import DeferralCause, concerns_mailbox, hindrance
from restante.queue.deferred_by_policy import is_by_policy
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    TransactionStage,
)
from restante.smtp.passed_client import PassedClient

DEFERRED_LIMIT: Final = 10  # messages in a row
CLIENTS_LIMIT: Final = 20  # with a limited rate since the last delivery: then it is our rate
MAILBOXES_LIMIT: Final = (
    20  # deferred for their state, none delivered: then it says so of everybody
)
_ENVELOPE: Final = frozenset({TransactionStage.MAIL, TransactionStage.RCPT})
_POLICY: Final = "7."  # the subject of the enhanced code


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
        # since the last delivery
        self._limited_clients: set[PassedClient] = set()
        self._deferred_at_envelope: Counter[PassedClient] = Counter()  # messages, at MAIL or RCPT

    def answered(
        self, outcome: MessageOutcome, refusals_limit: int, client: PassedClient | None = None
    ) -> AttemptStop | None:
        """Count the destination's answer, whatever policy makes of it.

        `client`: in whose name the message was sent; None for our own.
        """
        if client is not None and refused_by_policy(outcome):
            self._refusals.note_accepted(outcome)
            return None
        reason = self._refusals.take(outcome, refusals_limit)
        return AttemptStop(reason, AttemptKind.REFUSING) if reason else None

    def delivered(self) -> None:
        """Count a message that was taken."""
        self._deferred_in_a_row = 0
        self._mailboxes.clear()
        self._limited_clients.clear()
        self._deferred_at_envelope.clear()

    def not_delivered(
        self, outcome: MessageOutcome, client: PassedClient | None = None
    ) -> AttemptStop | None:
        """Count a message that was not taken for all its recipients."""
        if client is not None:
            if policy_told(outcome):
                return None
            if limit_told(outcome):
                self._limited_clients.add(client)
                if len(self._limited_clients) <= CLIENTS_LIMIT:
                    return None
            elif is_deferred_at_envelope(outcome):
                self._deferred_at_envelope[client] += 1
                if self._deferred_at_envelope[client] < DEFERRED_LIMIT:
                    return None
                self._deferred_in_a_row = DEFERRED_LIMIT - 1
        if not self._is_about_mailboxes(outcome):
            moves = {recipient.move for recipient in outcome.recipients}
            self._deferred_in_a_row = (
                self._deferred_in_a_row + 1 if moves == {RecipientMove.DEFERRED} else 0
            )
        if limited := limit_told(outcome):
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


def limit_told(outcome: MessageOutcome) -> str:
    """Return the reply that limits the rate; "" if there is none."""
    for recipient in outcome.recipients:
        if hindrance(recipient) is DeferralCause.RATE:
            return f"the destination limits the rate: {recipient.reply}"
    return ""


def policy_told(outcome: MessageOutcome) -> str:
    """Return the reply by which a policy defers it; "" if there is none, or the rate is limited.

    A server that names a problem of its own is in trouble, whatever the code.
    """
    if limit_told(outcome):
        return ""
    return next((one.reply for one in outcome.recipients if is_by_policy(one)), "")


def is_deferred_at_envelope(outcome: MessageOutcome) -> bool:
    """Return whether 4xx at MAIL or RCPT deferred all recipients, for no policy or mailbox."""
    return (
        not policy_told(outcome)
        and not limit_told(outcome)
        and all(
            one.move is RecipientMove.DEFERRED
            and one.stage in _ENVELOPE
            and not concerns_mailbox(one)
            for one in outcome.recipients
        )
    )


def refused_by_policy(outcome: MessageOutcome) -> bool:
    """Return whether a policy of the destination refused the message for all recipients."""
    return all(map(_is_refused_by_policy, outcome.recipients))


def _is_refused_by_policy(recipient: RecipientOutcome) -> bool:
    status = recipient.status
    return status is not None and status.is_permanent and status.topic.startswith(_POLICY)
