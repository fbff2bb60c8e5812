"""The outcomes of an attempt that the destination's replies decide.

Each outcome is counted by the reply, whatever our policy makes of it: the destination may refuse
everything (queue/broken_destination.py). Then it becomes the outcome by the domain's policy, with
the report to the sender if one is due, and is recorded (attempt_mail.py). An outcome that is no
delivery may end the attempt (stop_rules.py).
"""

from restante.delivery.attempt_context import AttemptContext
from restante.delivery.attempt_end import AttemptKind
from restante.delivery.attempt_mail import AttemptMail
from restante.delivery.client_outcomes import ClientOutcomes
from restante.delivery.delivery_tally import DeliveryTally
from restante.delivery.recipient_learning import RecipientLearning
from restante.delivery.stop_rules import StopRules
from restante.mail.message import HeldMessage
from restante.queue.deferral_cause import takes_few_at_once
from restante.queue.recipient_status import MessageOutcome, RecipientMove
from restante.queue.reporting import in_keeping, report_facts_of
from restante.smtp.passed_client import PassedClient
from restante.tenancy.policy import OnRefusal


class AttemptOutcomes:
    """Made for each attempt."""

    def __init__(
        self,
        attempt: AttemptContext,
        mail: AttemptMail,
        rules: StopRules,
        of_clients: ClientOutcomes,
        learning: RecipientLearning | None,
    ) -> None:
        """`learning` keeps the destination's answers about mailboxes; None to ignore them."""
        self._plan = attempt.plan
        self._context = attempt.delivery
        self._settlement = attempt.settlement
        self._tally = attempt.tally
        self._mail = mail
        self._rules = rules
        self._of_clients = of_clients
        self._learning = learning
        self._is_refused_bounced = attempt.plan.domain.policy.on_refusal is OnRefusal.BOUNCE

    def take(
        self,
        tally: DeliveryTally,
        message: HeldMessage,
        outcome: MessageOutcome,
        reply: str,
        client: PassedClient | None,
    ) -> bool:
        """Take the outcome of a message; return whether it was delivered.

        `tally` is the connection's. `client` is the one in whose name it was sent.
        """
        self.count_refusal(outcome, client)  # by the reply, whatever our policy makes of it
        if self._learning is not None:
            self._learning.take(outcome)
        if client is not None and self._of_clients.keeps(outcome, client):
            tally.count(self._of_clients.keep(message, outcome, client))
            return False
        if (
            self._is_refused_bounced or message.envelope.dsn is not None
        ):  # otherwise there is no report, which is the usual case
            outcome = self._tell(message, outcome, reply)
        if not outcome.is_delivered:
            outcome = self._mail.count_drains(message, outcome)
        move = self._mail.record(message, outcome, reply)
        tally.count(move)
        if move is RecipientMove.DELIVERED:
            self._tally.delivered += 1
            if self._tally.delivered == 1:
                self._context.memory.experience.took_mail(self._plan.destination.text)
            self._rules.delivered()
            self._of_clients.delivered()
            return True
        self._mail.count_left(outcome)
        self.consider_stopping(outcome, client)
        return False

    def count_refusal(self, outcome: MessageOutcome, client: PassedClient | None = None) -> None:
        """Count a refusal, and end the attempt if the destination refuses everything."""
        limit = self._context.settings.refusals_limit
        if stop := self._rules.answered(outcome, limit, client):
            self._tally.stop(*stop)

    def consider_stopping(
        self, outcome: MessageOutcome, client: PassedClient | None = None
    ) -> None:
        """Count a message that was not taken for all its recipients, and end if that is due."""
        self._tally.moved_some |= takes_few_at_once(outcome)
        if client is not None:
            self._of_clients.not_delivered(outcome, client)
        if stop := self._rules.not_delivered(outcome, client):
            if stop.kind is AttemptKind.LIMITED:
                self._tally.is_limited = True
                self._context.memory.experience.met_limit(self._plan.destination.text)
            self._tally.stop(*stop)

    def _tell(self, message: HeldMessage, outcome: MessageOutcome, reply: str) -> MessageOutcome:
        """Add the report that is due, and return the outcome by the domain's policy."""
        outcome = in_keeping(outcome, message.envelope, is_refused_bounced=self._is_refused_bounced)
        has_details = self._context.directory.has_report_details(self._plan.domain)
        for facts in report_facts_of(
            outcome, message.envelope, reply, self._plan.remote, has_details=has_details
        ):
            self._settlement.tell(message, facts)
        return outcome
