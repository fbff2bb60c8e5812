"""Messages from the supply into one session, and their outcomes back."""

from collections.abc import Callable

from restante.delivery.connection_record import ConnectionRecord
from restante.delivery.link_plan import ConnectionWork, LinkPlan
from restante.delivery.outcome import (
    UNSAFE_PATH,
    obstacle,
    outcome_of,
    refused_for,
    session_complaint,
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
                return True
        self._work.report(message, refused_for(message, refusal), str(refusal))
        return True

    def report(self, transaction: ClientTransaction) -> None:
        """Report the outcome of a transaction that has ended."""
        outcome = outcome_of(transaction)
        self._record.ended += 1
        if not outcome.is_delivered and (complaint := session_complaint(transaction)):
            self.complaint = complaint
            self._session.quit()
        reply = transaction.content
        self._work.report(transaction.message, outcome, reply.text if reply is not None else "")

    def window_settled(self, *, is_whole: bool) -> None:
        """Adapt the size of windows to the time that this one took."""
        self._record.windows_settled += 1
        self._link_plan.pace.adapt(self._clock() - self._ahead_since, is_whole=is_whole)

    def _next_message(self) -> HeldMessage | None:
        if self._record.begun == self._link_plan.messages:
            self._session.quit()
            return None
        return self._work.take()
