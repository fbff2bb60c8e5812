"""The audit of a session whose server ends a reply in a bare LF, although others end in CRLF.

Such a reply could be a part of one with a stranger's text in it. If it is the only reply due, the
session is audited from there on. The transaction is the last of the session, and it ends when the
server has closed the connection behind its reply to QUIT. By then the number of replies must be
that of the commands. A text that looks like several replies only adds to them, so it is noticed.
If more replies are due, the session is void, and later ones send one command at a time
(delivery/connection_record.py).
"""

from restante.smtp.client_transaction import CONTENT, ClientTransaction
from restante.smtp.due_replies import DueReplies
from restante.smtp.pipelining import Pipelining


class SessionAudit:
    """Whether a session is audited, and the transaction that waits for the result."""

    __slots__ = ("_transaction", "awaits_close", "is_on", "not_borne")

    def __init__(self) -> None:
        self.is_on = False  # replies count if their number is right at the end
        self._transaction: ClientTransaction | None = None  # ended, if the audit finds nothing
        self.awaits_close = False  # QUIT was answered, and the audit ends with the connection
        self.not_borne: Pipelining | None = None  # a bare LF came while more was due

    def meet_lf(self, due: DueReplies, *, runs_ahead: bool, is_probing: bool) -> bool:
        """Return whether a bare LF ends lines: in a reply that alone is due, the audit is safe.

        The first line of the reply to content has the code that counts: an audit adds nothing.
        """
        is_content = due.awaited is CONTENT
        self.is_on = due.answerable == 1 == len(due) and not runs_ahead and not is_content
        if due.answerable > 1:
            behind = Pipelining.ACROSS if is_content else Pipelining.OPENING
            self.not_borne = Pipelining.AHEAD if runs_ahead or is_probing else behind
        return self.is_on

    def begin_again(self) -> None:
        """Forget a reply from before TLS."""
        self.is_on = False

    def end_with(self, transaction: ClientTransaction) -> None:
        """Have the transaction end when the audit does."""
        self._transaction = transaction

    def quit_answered(self) -> None:
        """Take the reply to QUIT: it does not end the session."""
        self.awaits_close = True

    def take_ended(self) -> ClientTransaction | None:
        """Return the transaction once the server has closed behind its reply to QUIT, or None."""
        if not self.awaits_close:
            return None
        ended, self._transaction = self._transaction, None
        return ended

    @property
    def has_transaction(self) -> bool:
        """Whether a transaction waits for the end of the audit."""
        return self._transaction is not None

    def outstanding(self) -> list[ClientTransaction]:
        """Return the transaction that waits, if there is one."""
        return [] if self._transaction is None else [self._transaction]

    @property
    def in_doubt(self) -> ClientTransaction | None:
        """The transaction, if its content has a reply: the audit decides about it."""
        waiting = self._transaction
        return waiting if waiting is not None and waiting.content is not None else None
