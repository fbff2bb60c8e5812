"""Mail whose connection ended before its outcome.

The destination's result is unknown, so the mail stays held, and leaves by another connection:

    the message                                       it goes
    ------------------------------------------------  ---------------------------------------------
    the connection had taken mail, and was closed     first by another connection; the loss is
                                                      normal, and is not recorded
    it may have ended the connection, others wait     in the next round
    our disk could not read its content               in the next round
    any other                                         first by another connection, unless that
                                                      happened too often (mail_supply.py)
    all its content was sent, and its reply could     once behind the others, or first where the
    not be read                                       connection had taken mail; then it counts:
                                                      the third time it is set apart as uncertain
    the connection was cut at MAIL or RCPT of its     in the next round, with all mail of the client
    client, and the mail of others waits              (client_order.py)
"""

from restante.delivery.attempt_context import AttemptContext
from restante.delivery.attempt_mail import AttemptMail
from restante.delivery.attempt_outcomes import AttemptOutcomes
from restante.delivery.link_plan import ConnectionEnd, EndKind
from restante.delivery.reply_outcome import deferred_for, uncertain_for
from restante.mail.message import HeldMessage


class LostMail:
    """Made for each attempt."""

    def __init__(
        self, attempt: AttemptContext, mail: AttemptMail, outcomes: AttemptOutcomes
    ) -> None:
        self._supply = attempt.supply
        self._drain_log = attempt.drain_log
        self._mail = mail
        self._outcomes = outcomes

    def take_back(self, end: ConnectionEnd, *, is_client_deferred: bool) -> None:
        """Handle the messages that a connection left behind."""
        for message in reversed(end.outstanding):  # each goes to the front
            if is_client_deferred:
                self._mail.record_deferred(message, end.reason)
                self._supply.left_behind += 1
            elif message is end.in_doubt:
                self._take_back_in_doubt(message, end)
            else:
                self._take_back(message, end)

    def _take_back(self, message: HeldMessage, end: ConnectionEnd) -> None:
        """Defer a message without a reply to its content."""
        is_readable = end.kind is not EndKind.UNREADABLE
        if is_readable and end.came_after_mail and self._mail.give_back_after_mail(message):
            return
        outcome = deferred_for(message, end.reason)
        self._mail.record(message, outcome, "")
        if not is_readable:
            self._mail.count_left(outcome)
            self._outcomes.consider_stopping(outcome)
        elif is_suspect(
            message, end, others_wait=self._supply.waiting > 0
        ) or not self._supply.give_back(message):
            self._supply.left_behind += 1

    def _take_back_in_doubt(self, message: HeldMessage, end: ConnectionEnd) -> None:
        """Handle a message that was sent whole but got no readable reply."""
        if may_be_the_line(message, end) and self._supply.give_back(
            message, behind=not end.came_after_mail
        ):
            self._mail.record_deferred(message, end.reason)
            return
        takes_nothing = not (end.garbled or self._drain_log.totals.delivered)
        outcome = (
            deferred_for(message, end.reason)
            if takes_nothing
            else uncertain_for(message, end.garbled or end.reason)
        )
        self._outcomes.count_refusal(outcome)
        self._mail.record(message, outcome, "")
        self._mail.count_left(outcome)
        self._outcomes.consider_stopping(outcome)


def is_suspect(message: HeldMessage, end: ConnectionEnd, *, others_wait: bool) -> bool:
    """Return whether a message may have broken the connection, and keeps others waiting."""
    is_cause = message is end.suspect and end.was_over_a_message
    return end.came_after_mail or (is_cause and others_wait)


def may_be_the_line(message: HeldMessage, end: ConnectionEnd) -> bool:
    """Return whether the loss of a message in doubt may have nothing to do with its content.

    Only for the first time, and not if the destination said something else in place of the reply.
    """
    return not end.garbled and end.was_closed and not message.doubts
