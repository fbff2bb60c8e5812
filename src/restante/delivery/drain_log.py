"""The log lines and counts of a drain: for each message, recipient and connection.

There is a line for each message delivered, each recipient deferred or refused, and each connection.
At three in the morning the question is "where did message X go". So its name, the destination and
the destination's own reply are in one line, with the Message-ID. Never content, and no
reverse-path.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from restante.background.clocks import Clocks
from restante.delivery.attempt_end import AttemptKind
from restante.delivery.delivery_pace import DeliveryPace
from restante.delivery.delivery_tally import DeliveryTally
from restante.delivery.link_plan import ConnectionEnd, EndKind, LinkPlan
from restante.mail.address import shown_paths
from restante.mail.message import HeldMessage, message_name
from restante.queue.deferral_cause import DeferralCause, hindrance
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome, move_of
from restante.telemetry.event_bus import Log
from restante.telemetry.events import (
    AttemptEnded,
    DeliveryAttempt,
    DeliveryDeferred,
    DeliveryRefused,
    DeliveryUncertain,
    Event,
    MessageDelivered,
)

_EVENTS: Final[Mapping[RecipientMove, type[DeliveryDeferred | DeliveryUncertain]]] = {
    RecipientMove.DEFERRED: DeliveryDeferred,
    RecipientMove.UNCERTAIN: DeliveryUncertain,
}


class DrainLog:
    """One drain's lines and counts."""

    def __init__(self, log: Log, domain: str, destination: str, clocks: Clocks) -> None:
        self._log = log
        self._clocks = clocks
        self._pace = DeliveryPace()
        self._domain = domain
        self.destination = destination  # of the present attempt
        self.totals = DeliveryTally()
        self.last_error = ""
        self.hindrance: DeferralCause | None = None  # the cause that it indicates
        self.last_reply = ""  # of the destination about a message; "" before the first
        self.last_reply_at: float | None = None  # Unix time
        self.failed_at: float | None = None  # Unix time: the end of the last attempt, if it failed

    @property
    def rate(self) -> float:
        """Messages delivered a second, lately."""
        return self._pace.rate(self._clocks.monotonic())

    def attempt_begins(self) -> None:
        """Note that an attempt begins."""
        self.failed_at = None
        self._pace.begin_attempt(self._clocks.monotonic())

    def record(self, message: HeldMessage, outcome: MessageOutcome, reply: str) -> RecipientMove:
        """Log the outcome of a message and return it; `reply` is the one to its content."""
        move = move_of(outcome)
        self.totals.count(move)
        self._note_reply(outcome, reply)
        if move is RecipientMove.DELIVERED:
            self._pace.delivered(self._clocks.monotonic())
            self._delivered(message, outcome.recipients, reply)
        else:
            self._not_delivered(message, outcome, reply)
        return move

    def _note_reply(self, outcome: MessageOutcome, reply: str) -> None:
        """Keep the destination's last reply; a recipient without a status has words of ours."""
        for one in outcome.recipients:
            is_taken = one.move is RecipientMove.DELIVERED
            if said := (reply if is_taken else one.reply if one.status is not None else ""):
                self.last_reply, self.last_reply_at = said, self._clocks.now()

    def _not_delivered(self, message: HeldMessage, outcome: MessageOutcome, reply: str) -> None:
        for recipient in outcome.recipients:
            if recipient.move is RecipientMove.DELIVERED:
                continue
            self.last_error, self.hindrance = recipient.reply, hindrance(recipient)
            self._log.publish(self._event(message, recipient))
        taken = [one for one in outcome.recipients if one.move is RecipientMove.DELIVERED]
        if taken:
            self._delivered(message, taken, reply)

    def _event(self, message: HeldMessage, recipient: RecipientOutcome) -> Event:
        if recipient.move in (RecipientMove.REFUSED, RecipientMove.BOUNCED):
            return DeliveryRefused(
                message=message_name(message.number),
                message_id=message.message_id or "",
                domain=self._domain,
                destination=self.destination,
                forward_path=recipient.forward_path,
                reply=recipient.reply,
                bounced=True if recipient.move is RecipientMove.BOUNCED else None,
            )
        return _EVENTS[recipient.move](
            message=message_name(message.number),
            message_id=message.message_id or "",
            domain=self._domain,
            destination=self.destination,
            forward_path=recipient.forward_path,
            reply=recipient.reply,
        )

    def _delivered(
        self, message: HeldMessage, recipients: Sequence[RecipientOutcome], reply: str
    ) -> None:
        paths = [one.forward_path for one in recipients]
        self._log.publish(
            MessageDelivered(
                message=message_name(message.number),
                message_id=message.message_id or "",
                domain=self._domain,
                destination=self.destination,
                recipients=len(paths),
                forward_paths=shown_paths(paths),
                reply=reply,
            )
        )

    def attempted(
        self, link_plan: LinkPlan, end: ConnectionEnd, tally: DeliveryTally, seconds: float
    ) -> None:
        """Log the end of a connection, which took so many seconds."""
        if end.reason:
            self.last_error, self.hindrance = end.reason, None
        self._log.publish(
            DeliveryAttempt(
                domain=self._domain,
                destination=self.destination,
                address=link_plan.endpoint.text,
                tls_version=end.tls,
                manner=end.manner,
                end=end.kind,
                reason=end.reason,
                delivered=tally.delivered,
                deferred=tally.deferred,
                refused=tally.refused,
                uncertain=tally.uncertain,
                outstanding=len(end.outstanding),
                seconds=round(seconds, 3),
            )
        )

    def attempt_ended(self, kind: AttemptKind, reason: str, *, tried: int) -> None:
        """Log the end of an attempt; if it was incomplete, the reason is the last error."""
        self.failed_at = None
        if kind is not AttemptKind.COMPLETE:
            self.last_error, self.failed_at = reason, self._clocks.now()
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
        self.last_error, self.hindrance = reason, None
        self._log.publish(
            DeliveryAttempt(
                domain=self._domain,
                destination=self.destination,
                end=EndKind.NO_ROUTE,
                reason=reason,
            )
        )
