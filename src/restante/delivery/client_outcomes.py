"""Outcomes of mail that is sent in the name of its client, as facts about the client.

Where the destination is told the client of each message, a reply can be about the client:

- A client whose mail is too much is deferred: the rest of its mail stays held. The mail of others
  goes on.
- Mail that a policy refuses (5.7.x) concerns its client too, but few such refusals stand while
  nothing is delivered. From then on such mail stays held.
- A client that is refused before its mail, or whose mail is deferred at MAIL or RCPT, counts in a
  row with others. So does one that a policy defers. Too many in a row end the attempt, and the next
  one begins behind them (refused_clients.py).
"""

from restante.delivery.attempt_context import AttemptContext
from restante.delivery.attempt_mail import AttemptMail
from restante.delivery.link_plan import ConnectionEnd, EndKind
from restante.delivery.refused_clients import ROW_PAUSE, ClientRow, PolicyRefusals
from restante.delivery.stop_rules import (
    AttemptStop,
    is_deferred_at_envelope,
    limit_told,
    policy_told,
    refused_by_policy,
)
from restante.mail.message import HeldMessage
from restante.queue.recipient_status import MessageOutcome, RecipientMove
from restante.smtp.passed_client import PassedClient


class ClientOutcomes:
    """Made for each attempt."""

    def __init__(
        self,
        attempt: AttemptContext,
        mail: AttemptMail,
        row: ClientRow,
        policy_refusals: PolicyRefusals,
    ) -> None:
        """`policy_refusals` are those of the drain."""
        self._context = attempt.delivery
        self._supply = attempt.supply
        self._tally = attempt.tally
        self._mail = mail
        self._row = row
        self._policy_refusals = policy_refusals
        self._is_grouped = attempt.supply.is_grouped

    def keeps(self, outcome: MessageOutcome, client: PassedClient) -> bool:
        """Count a refusal by policy; return whether the mail stays held: too many were refused."""
        if not refused_by_policy(outcome):
            return False
        limit = self._context.settings.refusals_limit
        if not self._policy_refusals.stands(client, limit):
            return True
        self._end_for_now(self._row.deferred(client, outcome.recipients[-1].reply))
        return False

    def keep(
        self, message: HeldMessage, outcome: MessageOutcome, client: PassedClient
    ) -> RecipientMove:
        """Leave a refused message held, behind the mail of others, and the rest of its client's."""
        last, is_known = outcome.recipients[-1], self._row.takes_our_mail
        kept = outcome._replace(
            recipients=tuple(
                one._replace(move=RecipientMove.DEFERRED) for one in outcome.recipients
            )
        )
        if is_known:
            kept = self._mail.count_refusals(message, kept)
        move = self._mail.record(message, kept, "")
        self._mail.count_left(kept)
        self._mail.defer_client(client, last.reply, is_client_refused=is_known)
        self._supply.found_refused(client)
        self._end_for_now(self._row.kept(client, last.forward_path, last.reply))
        return move

    def let_in(self) -> None:
        """Count a client that could begin its mail."""
        self._row.let_in()

    def delivered(self) -> None:
        """Count a message that was taken."""
        self._policy_refusals.delivered()
        if self._is_grouped:  # otherwise no client was counted in this attempt
            self._row.delivered()

    def not_delivered(self, outcome: MessageOutcome, client: PassedClient) -> None:
        """Count a message that was not taken for all its recipients."""
        if reason := limit_told(outcome):
            self._mail.defer_client(client, reason)
        if reason := policy_told(outcome):
            self._end_for_now(self._row.deferred(client, reason))
        elif is_deferred_at_envelope(outcome):
            last = outcome.recipients[-1]
            self._end_for_now(self._row.deferred_at_envelope(client, last.forward_path, last.reply))

    def not_let_in(self, client: PassedClient, end: ConnectionEnd) -> None:
        """Defer a client that the destination refuses before its mail, or gives no answer.

        A refusal and silence are facts about the client, until the destination treats us alike.
        """
        is_refused = end.kind is EndKind.REFUSED and self._row.is_about_clients
        self._mail.defer_client(client, end.reason, is_client_refused=is_refused)
        if end.was_silent:
            self._supply.found_silent(client)
        else:
            self._supply.found_refused(client)
            self._end_for_now(self._row.refused(end.reason))

    def cut_at_envelope(self, client: PassedClient, end: ConnectionEnd) -> None:
        """Put a client behind the others whose connection was cut at MAIL or RCPT."""
        self._mail.defer_client(client, end.reason)
        self._supply.found_refused(client)
        if end.suspect is not None:
            mailbox = end.suspect.envelope.forward_paths[0]
            self._end_for_now(self._row.deferred_at_envelope(client, mailbox, end.reason))

    def _end_for_now(self, stop: AttemptStop | None) -> None:
        """End after too many clients in a row; the next attempt begins behind them."""
        if stop is not None:
            self._tally.wait = ROW_PAUSE
            self._tally.stop(*stop)
