"""Messages from the supply into one session, and their outcomes back."""

from collections.abc import Callable

from restante.delivery.connection_allowance import MESSAGES_OF_ANY_AGE, takes_more
from restante.delivery.connection_record import ConnectionRecord
from restante.delivery.link_plan import ConnectionWork, LinkPlan
from restante.delivery.reply_outcome import (
    UNSAFE_PATH,
    obstacle,
    outcome_as_far_as,
    outcome_of,
    refused_for,
    session_complaint,
    words_to_content,
)
from restante.mail.message import HeldMessage
from restante.smtp.client_session import ClientSession
from restante.smtp.client_transaction import ClientTransaction


class MessageFlow:
    """Begins transactions, and reports each once when it has ended."""

    def __init__(
        self,
        session: ClientSession,
        link_plan: LinkPlan,
        work: ConnectionWork,
        record: ConnectionRecord,
        clock: Callable[[], float],
    ) -> None:
        """`clock` is monotonic, in seconds."""
        self._session = session
        self._link_plan = link_plan
        self._work = work
        self._record = record
        self._clock = clock
        self._began_at = clock()
        self._ahead_since = 0.0  # when the window began to fill
        self.complaint = ""  # by the destination; the session ends for it

    def begin_next(self) -> bool:
        """Take the next message and begin its transaction; False if there is none now.

        A message that cannot be sent to this destination is reported at once.
        """
        message = self._next_message()
        if message is None:
            return False
        refusal = obstacle(message, self._session.offer, self._link_plan.destination)
        if refusal is None:
            if not self._session.is_ahead:
                self._ahead_since = self._clock()
            try:
                self._session.begin(ClientTransaction(message))
            except ValueError:
                refusal = UNSAFE_PATH
            else:
                self._record.begun += 1
                if self.has_begun_last:
                    self._work.on_progress()
                return True
        self._work.report(message, refused_for(message, refusal), str(refusal))
        return True

    def report(self, transaction: ClientTransaction) -> None:
        """Report the outcome of a transaction that has ended."""
        words = words_to_content(transaction)
        outcome = outcome_of(transaction, words)
        self._record.ended += 1
        if not outcome.is_delivered and (complaint := session_complaint(transaction)):
            self.complaint = complaint
            self._session.quit()
        self._work.report(transaction.message, outcome, words)

    def report_cut(self) -> None:
        """Report the first transaction as far as it came, if a reply decides about a recipient.

        Others behind it have no replies. In a window that runs ahead, and in an audited session, no
        reply counts alone.
        """
        outstanding = self._session.outstanding()
        if self._session.runs_ahead or self._session.is_audited or not outstanding:
            return
        first = outstanding[0]
        outcome = outcome_as_far_as(first)
        if outcome is not None and first is not self._session.in_doubt and not first.is_out_of_turn:
            self._record.ended += 1
            self._record.reported_cut = first.message
            self._work.report(first.message, outcome, "")

    def window_settled(self, *, is_whole: bool) -> None:
        """Adapt the size of windows to the time that this one took."""
        self._record.windows_settled += 1
        self._link_plan.pace.adapt(self._clock() - self._ahead_since, is_whole=is_whole)
        self._work.on_progress()

    @property
    def has_begun_last(self) -> bool:
        """Whether this connection takes no more messages."""
        begun = self._record.begun
        if self._link_plan.is_lasting or begun < MESSAGES_OF_ANY_AGE:
            return begun >= self._most
        return not takes_more(begun, self._clock() - self._began_at, self._most)

    def _next_message(self) -> HeldMessage | None:
        if self.has_begun_last:
            self._session.quit()
            return None
        return self._work.take()

    @property
    def _most(self) -> int:
        """How many messages this connection may take: by us, or by the server (RFC 9422)."""
        limit = self._session.offer.mail_limit
        if not limit:
            return self._link_plan.messages
        probes = 1 if self._session.probed is not None else 0  # a probe is a transaction too
        return min(self._link_plan.messages, max(1, limit - probes))
