"""The transactions of one session: their commands and content, and the replies to these.

- With PIPELINING, MAIL, each RCPT and DATA are one flight. The 354 permits the content. The opening
  of the next transaction follows in the same flight if the server has shown that it supports that
  (smtp/session_pipelining.py). That is one round trip per message instead of two. Without
  PIPELINING, commands go one at a time, and the rest waits in `_withheld`.
- 354 without an accepted recipient: the end mark alone is sent, and its reply, even 250, means
  nothing.
- A transaction that DATA did not end stays open at the server. RSET goes before the next MAIL, and
  the transaction has ended when that is answered. RSET is never sent otherwise: servers count it.
- If the probe has shown that the server supports it (smtp/chunking_probe.py), whole transactions
  run ahead of their replies: MAIL, RCPT and `BDAT n LAST` with the content. As many go as the
  window takes (smtp/window_size.py). The distance then costs one round trip for
  a window, not for a message.
- Large content does not run ahead of the replies to its recipients: sent without success, it costs
  more than the round trip.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from restante.smtp.chunking_probe import SendingMode
from restante.smtp.client_events import ClientEvent, ContentWanted, TransactionEnded
from restante.smtp.client_transaction import (
    ACROSS,
    CONTENT,
    DATA,
    END_MARK,
    MAIL,
    NOOP,
    RCPT,
    RSET,
    ClientTransaction,
    DialogueStep,
    opening_commands,
)
from restante.smtp.content import ChunkEncoder, DataEncoder
from restante.smtp.due_replies import DueReplies
from restante.smtp.ehlo_offer import NO_OFFER, EhloOffer
from restante.smtp.peer_replies import ServerReply
from restante.smtp.session_audit import SessionAudit
from restante.smtp.session_pipelining import SessionPipelining
from restante.smtp.transaction_window import TransactionWindow

_LARGE: Final = 1024 * 1024  # octets of content


class TransactionDialogue:
    """Sends transactions, and takes the replies to them."""

    __slots__ = (
        "_ahead",
        "_audit",
        "_due",
        "_encoder",
        "_events",
        "_needs_lines",
        "_offer",
        "_opening",
        "_pipelining",
        "_taken",
        "_withheld",
        "is_closing",
    )

    def __init__(
        self,
        due: DueReplies,
        events: deque[ClientEvent],
        ahead: TransactionWindow,
        pipelining: SessionPipelining,
        audit: SessionAudit,
    ) -> None:
        """`events` gets those of transactions."""
        self._due = due
        self._events = events
        self._ahead = ahead
        self._pipelining = pipelining
        self._audit = audit
        self._opening: ClientTransaction | None = None  # begun, and its content not sent
        self._withheld: deque[tuple[DialogueStep, bytes]] = (
            deque()
        )  # the rest of the opening, which waits for replies
        self._encoder: DataEncoder | ChunkEncoder | None = None  # content is being sent in blocks
        self._taken = 0  # messages
        self._offer = NO_OFFER
        self._needs_lines = False
        self.is_closing = False  # no other transaction begins

    def open(self, offer: EhloOffer, *, needs_lines: bool) -> None:
        """Begin, with the offer of the server.

        `needs_lines`: each octet must be in a line that ends. The client that was turned around may
        be fetchmail. It passes whole lines on, and would wait for the rest of the last one.
        """
        self._offer = offer
        self._needs_lines = needs_lines

    def close(self) -> None:
        """Begin no other transaction."""
        self.is_closing = True

    @property
    def has_room(self) -> bool:
        """Whether another transaction can begin, as far as those on their way permit it."""
        if self._opening is not None:
            return False
        audit, due = self._audit, self._due
        if audit.is_on and (audit.has_transaction or due):
            return False  # the message under way is the last
        if self._ahead.mode is not SendingMode.DATA:
            return self._ahead.has_room
        if not due:
            return True
        return self._pipelining.is_used if due.last is RSET else self._pipelining.goes_across

    def begin(self, transaction: ClientTransaction) -> None:
        """Open a transaction. Raises ValueError, with nothing sent, for a path not to be sent."""
        commands = opening_commands(transaction.message, self._offer)
        transaction.passes_dsn_on = self._offer.has_dsn
        if self._ahead.mode is not SendingMode.DATA:
            self._run_ahead(transaction, commands)
            return
        transaction.is_across = self._due.last not in (None, RSET)
        self._say_opening(transaction, commands)

    def _say_opening(
        self, transaction: ClientTransaction, commands: list[tuple[DialogueStep, bytes]]
    ) -> None:
        self._opening = transaction
        commands.append((DATA, b"DATA\r\n"))
        if self._pipelining.is_used:
            for step, line in commands:
                self._due.send(line, step, transaction)
        else:
            self._withheld.extend(commands)
            self._send_withheld(transaction)

    def _run_ahead(
        self, transaction: ClientTransaction, commands: list[tuple[DialogueStep, bytes]]
    ) -> None:
        self._opening = transaction
        size = transaction.message.size
        if self._ahead.needs_reset:
            self._due.send(b"RSET\r\n", RSET)
        self._ahead.add(transaction)
        for step, line in commands:
            self._due.send(line, step, transaction)
        self._withheld.append((CONTENT, b"BDAT %d LAST\r\n" % size))
        if size <= _LARGE:
            self._send_chunk(transaction)

    @property
    def is_opening(self) -> bool:
        """Whether a transaction has begun whose content has not been sent."""
        return self._opening is not None

    # Content in blocks

    @property
    def is_sending_content(self) -> bool:
        """Whether a ContentWanted has not come to its `end_content`."""
        return self._encoder is not None

    def send_content(self, block: bytes) -> None:
        """Send more of the content that a ContentWanted asked for."""
        assert self._encoder is not None, "no content is wanted"
        self._due.write(self._encoder.encode(block))

    def end_content(self) -> None:
        """Send the end mark: only after the last octet of the content."""
        assert self._encoder is not None, "no content is wanted"
        assert self._opening is not None
        self._send_end_mark(self._encoder, self._opening)

    def unanswered(self) -> list[ClientTransaction]:
        """Return the transaction of each reply that is due, and the one that is opening."""
        begun = self._due.transactions()
        return begun if self._opening is None else [*begun, self._opening]

    # Replies: see STEPS

    def take_mail(self, transaction: ClientTransaction, reply: ServerReply) -> None:
        """Take the reply to MAIL."""
        transaction.mail = reply
        self._send_withheld(transaction)

    def take_rcpt(self, transaction: ClientTransaction, reply: ServerReply) -> None:
        """Take the reply to the next RCPT."""
        transaction.recipients.append(reply)
        self._send_withheld(transaction)

    def _send_withheld(self, transaction: ClientTransaction) -> None:
        """Send commands that waited for the replies to all earlier ones, unless useless now."""
        if (
            not self._withheld
            or transaction is not self._opening
            or self._due.ends_with(transaction)
        ):
            return
        step, line = self._withheld[0]
        if (step is RCPT and not _is_taken(transaction.mail)) or (
            step in _ENDS and not transaction.has_recipients
        ):
            self._withheld.clear()
            self._conclude(transaction)
        elif step is CONTENT:
            self._send_chunk(transaction)
        else:
            self._withheld.popleft()
            self._due.send(line, step, transaction)

    def _send_chunk(self, transaction: ClientTransaction) -> None:
        _, command = self._withheld.popleft()
        self._due.write(command)
        self._send_head(transaction, ChunkEncoder(transaction.message.size))

    def take_data(self, transaction: ClientTransaction, reply: ServerReply) -> None:
        """Take the reply to DATA."""
        transaction.data = reply
        if not reply.is_positive:
            self._conclude(transaction)
        elif transaction.has_recipients:
            self._send_head(transaction, DataEncoder())
        else:
            self._due.send(b".\r\n", END_MARK, transaction)
            self._opening = None

    def _send_head(
        self, transaction: ClientTransaction, encoder: DataEncoder | ChunkEncoder
    ) -> None:
        self._due.write(encoder.encode(transaction.message.head))
        if transaction.message.file is None:
            self._send_end_mark(encoder, transaction)
        else:
            self._encoder = encoder
            self._events.append(ContentWanted(transaction))

    def _send_end_mark(
        self, encoder: DataEncoder | ChunkEncoder, transaction: ClientTransaction
    ) -> None:
        self._due.send(encoder.finish(), CONTENT, transaction)
        if isinstance(encoder, ChunkEncoder) and not encoder.ends_line and self._needs_lines:
            self._due.send(b"NOOP\r\n", NOOP)
        self._encoder = None
        self._opening = None
        is_worth_it = (
            self._taken > 0 and not self.is_closing
        )  # one message tells that there may be more
        is_ahead = self._ahead.mode is not SendingMode.DATA
        if is_worth_it and not is_ahead and self._pipelining.tries_across():
            self._due.send(b"RSET\r\n", ACROSS)

    def take_end_mark(self, transaction: ClientTransaction, _: ServerReply) -> None:
        """Take the reply to an end mark without content: it means nothing."""
        self._end(transaction)

    def take_content(self, transaction: ClientTransaction, reply: ServerReply) -> None:
        """Take the reply that decides."""
        transaction.content = reply
        self._taken += reply.is_positive
        self._end(transaction)

    def take_reset(self, transaction: ClientTransaction, _: ServerReply) -> None:
        """Take the reply to the RSET behind a transaction that stayed open."""
        self._end(transaction)

    def _conclude(self, transaction: ClientTransaction) -> None:
        """End a transaction whose content did not go."""
        self._opening = None
        if (
            transaction.is_left_open
        ):  # its end counts with the reply to RSET: a refusal out of step shows there
            self._due.send(b"RSET\r\n", RSET, transaction)
        else:
            self._end(transaction)

    def _end(self, transaction: ClientTransaction) -> None:
        if transaction.is_out_of_turn:
            self._pipelining.across_answered(is_borne=False)
            transaction.start_again()
            self._say_opening(transaction, opening_commands(transaction.message, self._offer))
        elif self._audit.is_on:
            self._audit.end_with(transaction)
            self.is_closing = True
        elif not transaction.is_chunked:  # otherwise when the window is settled
            self._events.append(TransactionEnded(transaction))


_ENDS: Final = (DATA, CONTENT)  # the steps after the last RCPT


def _is_taken(reply: ServerReply | None) -> bool:
    return reply is not None and reply.is_positive


STEPS: Final[
    Mapping[DialogueStep, Callable[[TransactionDialogue, ClientTransaction, ServerReply], None]]
] = {
    MAIL: TransactionDialogue.take_mail,
    RCPT: TransactionDialogue.take_rcpt,
    DATA: TransactionDialogue.take_data,
    CONTENT: TransactionDialogue.take_content,
    END_MARK: TransactionDialogue.take_end_mark,
    RSET: TransactionDialogue.take_reset,
}
