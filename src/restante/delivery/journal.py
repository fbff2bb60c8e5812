"""The log lines and counts of a drain: for each message, recipient and connection.

There is a line for each message delivered, each recipient deferred or refused, and each connection.
At three in the morning the question is "where did message X go". So its name, the destination and
the destination's own reply are in one line. Never content, and no reverse-path.
"""

from collections.abc import Mapping
from typing import Final

from restante.delivery.delivery_tally import DeliveryTally
from restante.delivery.link_plan import ConnectionEnd, LinkPlan
from restante.mail.message import HeldMessage, message_name
from restante.queue.hindrance import Hindrance, hindrance
from restante.queue.recipient_status import Move, Outcome, RecipientOutcome, move_of
from restante.telemetry.events import (
    AttemptEnded,
    DeliveryAttempt,
    DeliveryDeferred,
    DeliveryRefused,
    DeliveryUncertain,
    Event,
    MessageDelivered,
)
from restante.telemetry.log import Log

_EVENTS: Final[Mapping[Move, type[DeliveryDeferred | DeliveryUncertain]]] = {
    Move.DEFERRED: DeliveryDeferred,
    Move.UNCERTAIN: DeliveryUncertain,
}


class Journal:
    """One drain's lines and counts."""

    def __init__(self, log: Log, domain: str) -> None:
        self._log = log
        self._domain = domain
        self.destination = ""  # of the present attempt
        self.totals = DeliveryTally()
        self.last_error = ""
        self.hindrance = Hindrance.NONE  # the cause that it indicates

    def record(self, message: HeldMessage, outcome: Outcome, reply: str) -> Move:
        """Log the outcome of a message and return it; `reply` is the one to its content."""
        move = move_of(outcome)
        self.totals.count(move)
        name = message_name(message.number)
        if move is Move.DELIVERED:
            self._delivered(name, len(outcome.recipients), reply)
        else:
            self._not_delivered(name, outcome, reply)
        return move

    def _not_delivered(self, name: str, outcome: Outcome, reply: str) -> None:
        for recipient in outcome.recipients:
            if recipient.move is Move.DELIVERED:
                continue
            self.last_error, self.hindrance = recipient.reply, hindrance(recipient)
            self._log.publish(self._event(name, recipient))
        taken = sum(recipient.move is Move.DELIVERED for recipient in outcome.recipients)
        if taken:
            self._delivered(name, taken, reply)

    def _event(self, name: str, recipient: RecipientOutcome) -> Event:
        if recipient.move in (Move.REFUSED, Move.BOUNCED):
            return DeliveryRefused(
                message=name,
                domain=self._domain,
                destination=self.destination,
                forward_path=recipient.forward_path,
                reply=recipient.reply,
                bounced=True if recipient.move is Move.BOUNCED else None,
            )
        return _EVENTS[recipient.move](
            message=name,
            domain=self._domain,
            destination=self.destination,
            forward_path=recipient.forward_path,
            reply=recipient.reply,
        )

    def _delivered(self, name: str, recipients: int, reply: str) -> None:
        self._log.publish(
            MessageDelivered(
                message=name,
                domain=self._domain,
                destination=self.destination,
                recipients=recipients,
                reply=reply,
            )
        )

    def attempted(self, link_plan: LinkPlan, end: ConnectionEnd, tally: DeliveryTally) -> None:
        """Log the end of a connection."""
        if end.reason:
            self.last_error, self.hindrance = end.reason, Hindrance.NONE
        self._log.publish(
            DeliveryAttempt(
                domain=self._domain,
                destination=self.destination,
                address=link_plan.endpoint.text,
                tls=end.tls,
                manner=str(end.manner),
                end=str(end.kind),
                reason=end.reason,
                delivered=tally.delivered,
                deferred=tally.deferred,
                refused=tally.refused,
                uncertain=tally.uncertain,
                outstanding=len(end.outstanding),
            )
        )

    def attempt_ended(self, kind: str, reason: str, *, tried: int, is_complete: bool) -> None:
        """Log the end of an attempt; if it was incomplete, the reason is the last error."""
        if not is_complete:
            self.last_error = reason
        self._log.publish(
            AttemptEnded(
                domain=self._domain,
                destination=self.destination,
                end=kind,
                reason=reason,
                tried=tried,
            )
        )

    def could_not_attempt(self, reason: str) -> None:
        """Log that no connection could even be tried."""
        self.last_error, self.hindrance = reason, Hindrance.NONE
        self._log.publish(
            DeliveryAttempt(domain=self._domain, destination=self.destination, reason=reason)
        )
