"""The client side of SMTP without a socket (RFC 5321; RFC 2920, 3207, 4954, 1870, 6152, 6531).

Theory of operation. The shell gives bytes (`receive_data`) and takes events (`next_event`) until
there is none. It begins a transaction whenever `can_begin` and takes the events that this gives. It
then writes `data_to_send` once for all of that. Every reply that is due stands in one window,
`_due`, in the order in which its cause was sent. A reply belongs to the front of the window
and to nothing else. A reply that does not fit voids the session (PeerBroke). Transactions without
an outcome are then sent again, later.

- A reply can answer only octets that have left (smtp/due_replies.py).
- With PIPELINING, MAIL, each RCPT and DATA are one flight. The 354 permits the content. The opening
  of the next transaction follows in the same flight if the server has shown that it supports that
  (smtp/pipelining.py). That is one round trip per message instead of two. Without PIPELINING,
  commands go one at a time, and the rest waits in `_withheld`.
- 354 without an accepted recipient: the end mark alone is sent, and its reply, even 250, means
  nothing.
- A transaction that DATA did not end stays open at the server. RSET goes before the next MAIL, and
  the transaction has ended when that is answered. RSET is never sent otherwise: servers count it.
- If the probe has shown that the server supports it (smtp/chunking_probe.py), whole transactions
  run ahead of their replies: MAIL, RCPT and `BDAT n LAST` with the content. As many go as the
  window takes (smtp/window_size.py). The distance then costs one round trip for
  a window, not for a message.
- A window settles as a unit: only when every reply has arrived, each matches its command, and
  nothing follows the last (smtp/transaction_window.py). With 250 to everything, one reply too many
  shows only then. 421 is the exception, because it says itself where the replies end. A server that
  closes after a number of messages must not get them twice.
- A reply may end in a bare LF, although the first replies ended in CRLF. It could be a part of one
  with a stranger's text in it. If it is the only reply due, the session is audited from there on.
  The transaction is the last of the session, and it ends when the server has closed the connection
  behind its reply to QUIT. By then the number of replies must be that of the commands. A text that
  looks like several replies only adds to them, so it is noticed. If more replies are due, the
  session is void, and later ones send one command at a time (delivery/connection_record.py).
- Large content does not run ahead of the replies to its recipients: sent without success, it costs
  more than the round trip.

The steps before the first transaction are in smtp/handshake.py. The transaction only collects
replies; delivery/reply_outcome.py judges what they mean for a recipient.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from restante.smtp.chunking_probe import PROBE_STEPS, REST_STEPS, ChunkingProbeResult, SendingMode
from restante.smtp.client_events import (
    BeginTls,
    ClientEvent,
    ContentWanted,
    SaltPassword,
    SessionEnded,
    SessionEnding,
    SessionReady,
    TransactionEnded,
)
from restante.smtp.client_transaction import (
    ACROSS,
    CONTENT,
    DATA,
    EHLO,
    END_MARK,
    GREETING,
    HELO,
    MAIL,
    NOOP,
    QUIT,
    RCPT,
    RSET,
    ClientTransaction,
    DialogueStep,
    opening_commands,
)
from restante.smtp.content import ChunkEncoder, DataEncoder
from restante.smtp.due_replies import DueReplies
from restante.smtp.ehlo_offer import NO_OFFER
from restante.smtp.handshake import (
    ClientOptions,
    Handshake,
    HandshakeAwait,
    HandshakeRefuse,
    HandshakeSend,
    HandshakeStep,
)
from restante.smtp.peer_replies import ReplyReader, ServerReply
from restante.smtp.pipelining import ContentPipelining, Pipelining
from restante.smtp.protocol_errors import PeerBroke
from restante.smtp.transaction_window import TransactionWindow
from restante.smtp.window_size import WindowPace

_BUSY: Final = 421  # RFC 5321 §3.8: may come at any time, and closes the session
_LARGE: Final = 1024 * 1024  # octets of content


class ClientSession:
    """Our dialogue with one server."""

    __slots__ = (
        "_ahead",
        "_audited",
        "_due",
        "_encoder",
        "_events",
        "_handshake",
        "_is_over",
        "_is_quitting",
        "_is_ready",
        "_opening",
        "_pace",
        "_pipelining",
        "_replies",
        "_taken",
        "_tries",
        "_withheld",
        "awaits_close",
        "is_across_refused",
        "is_audited",
        "not_borne_for_lf",
        "offer",
    )

    def __init__(self, options: ClientOptions, pace: WindowPace | None = None) -> None:
        """`pace` is shared by the sessions with one server."""
        self._handshake = Handshake(options)
        self._replies = self._new_reader()
        self._events: deque[ClientEvent] = deque()
        self._due = DueReplies(GREETING)
        self._opening: ClientTransaction | None = None  # begun, and its content not sent
        self._withheld: deque[tuple[DialogueStep, bytes]] = (
            deque()
        )  # the rest of the opening, which waits for replies
        self._encoder: DataEncoder | ChunkEncoder | None = None  # content is being sent in blocks
        self._pace = pace or WindowPace()
        self._ahead = TransactionWindow(self._pace)
        self._pipelining = options.pipelining
        self._taken = 0  # messages
        self.is_across_refused = (
            False  # a command behind content got 4xx or 5xx, or made an odd reply doubtful
        )
        self._audited: ClientTransaction | None = None  # ended, if the audit finds nothing
        self.is_audited = False  # replies count if their number is right at the end
        self.awaits_close = False  # QUIT was answered, and the audit ends with the connection
        self.not_borne_for_lf: Pipelining | None = None  # a bare LF came while more was due
        self._is_ready = False
        self._is_quitting = False
        self._tries = False  # before QUIT, whether mail may run ahead in a later session
        self._is_over = False
        self.offer = NO_OFFER

    # The methods that the shell calls

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the server. Call `next_event` until it returns None after this."""
        if not self._is_over:
            self._replies.receive(data)

    def next_event(self) -> ClientEvent | None:
        """Return what happened next, None if more bytes are needed.

        Raises PeerBroke; nothing follows that.
        """
        try:
            while not self._events:
                reply = None if self._is_over else self._replies.next_reply()
                if reply is not None:
                    self._match(reply)
                elif self._replies.meets_lf:
                    self._meet_lf()
                else:
                    return None
        except PeerBroke:
            self._is_over = True
            raise
        return self._events.popleft()

    def data_to_send(self) -> bytes:
        """Return what must be written now, at once and in order; b"" if nothing."""
        return self._due.data_to_send()

    @property
    def outgoing_octets(self) -> int:
        """How many octets `data_to_send` would return."""
        return self._due.outgoing_octets

    @property
    def reply_count(self) -> int:
        """How many replies have come."""
        return self._due.taken

    @property
    def can_begin(self) -> bool:
        """Whether a transaction can begin now."""
        return (
            self._is_ready and not self._is_quitting and not self._is_over and self._is_window_open
        )

    def begin(self, transaction: ClientTransaction) -> None:
        """Open a transaction; take its events before opening the next.

        Raises ValueError, with nothing sent, for a path that must not be sent.
        """
        assert self.can_begin, "the window is full"
        commands = opening_commands(transaction.message, self.offer)
        transaction.passes_dsn_on = self.offer.has_dsn
        if self.runs_ahead:
            self._run_ahead(transaction, commands)
            return
        transaction.is_across = self._due.last not in (None, RSET)
        self._say_opening(transaction, commands)

    def _say_opening(
        self, transaction: ClientTransaction, commands: list[tuple[DialogueStep, bytes]]
    ) -> None:
        self._opening = transaction
        commands.append((DATA, b"DATA\r\n"))
        if self.is_pipelining:
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

    def send_content(self, block: bytes) -> None:
        """Send more of the content that a ContentWanted asked for."""
        assert self._encoder is not None, "no content is wanted"
        self._due.write(self._encoder.encode(block))

    def end_content(self) -> None:
        """Send the end mark: only after the last octet of the content.

        There is no way to take content back.
        """
        assert self._encoder is not None, "no content is wanted"
        assert self._opening is not None
        self._send_end_mark(self._encoder, self._opening)

    def tls_established(self) -> None:
        """Go on under TLS: everything said before it counts for nothing (RFC 3207 §4.2)."""
        self._replies = self._new_reader()
        self.is_audited = False
        self._go_on(self._handshake.tls_established())

    def password_salted(self, salted: bytes) -> None:
        """Go on with an authentication that had to wait for this."""
        if not self._is_over:
            self._go_on(self._handshake.password_salted(salted))

    def quit(self) -> None:
        """Begin no more transactions, and say QUIT when those begun have their replies."""
        self._is_quitting = True
        self._quit_when_idle()

    def try_and_quit(self) -> None:
        """Quit, and first ask for later sessions whether mail may run ahead.

        Only a session that delays trials has anything to try. No mail may be outstanding in it
        that could be lost with the connection.
        """
        self._tries = True
        self.quit()

    def auth_unanswered(self) -> None:
        """Count a session that ended before the result of AUTH, so that others can do better."""
        self._handshake.auth_unanswered()

    def outstanding(self) -> list[ClientTransaction]:
        """Return the transactions without an outcome, in the order they were begun."""
        audited = [self._audited] if self._audited is not None else []
        return list(dict.fromkeys([*audited, *self._ahead.transactions, *self._unanswered()]))

    @property
    def awaited(self) -> DialogueStep | None:
        """The step whose reply comes next, None if no reply is due: each has its own timeout."""
        return self._due.awaited

    @property
    def is_sending_content(self) -> bool:
        """Whether a ContentWanted has not come to its `end_content`."""
        return self._encoder is not None

    @property
    def runs_ahead(self) -> bool:
        """Whether transactions go ahead of their replies."""
        return self._ahead.mode is not SendingMode.DATA

    @property
    def is_pipelining(self) -> bool:
        """Whether the commands that open a transaction go in one flight."""
        bears_it = self.offer.has_pipelining and self._pipelining >= Pipelining.OPENING
        return bears_it and not self.is_audited

    @property
    def in_doubt(self) -> ClientTransaction | None:
        """The transaction whose content waits for its reply, outside a window that runs ahead."""
        if self._audited is not None:
            return self._audited if self._audited.content is not None else None
        if not self._due.answerable or self.runs_ahead:
            return None
        step, transaction = self._due.front()
        return transaction if step is CONTENT else None

    def take_cut_reply(self) -> bool:
        """Take the final reply to content as far as it came, if its code can be read.

        Call it when nothing more will come, and take the events after it. Replies come in order,
        so its octets belong to the content also if commands behind it wait for theirs.
        """
        is_due = self.in_doubt is not None and not self._is_over and not self.is_audited
        reply = self._replies.cut_reply() if is_due else None
        if reply is None or (reply.is_positive and reply.code not in CONTENT.goes_on):
            return False
        self._match(reply)
        return True

    def end_audit(self) -> None:
        """Let the last transaction end: the server has closed the connection by itself.

        Nothing happens if the session is not audited, or if its replies are too few or too many.
        """
        audited = self._audited
        if not self.awaits_close or audited is None or self._is_over or self._replies.has_surplus:
            return
        self._audited = None
        self._events.append(TransactionEnded(audited))
        self._end(SessionEnding.QUIT, "")

    @property
    def has_partial_code(self) -> bool:
        """Whether the next reply has begun, and its code can be read."""
        return self._replies.has_partial_code

    @property
    def unread(self) -> str:
        """The part of the next reply that has come, safe to show; "" if none has."""
        return self._replies.unread

    @property
    def awaits_across(self) -> bool:
        """Whether the next reply is to a command behind content: it comes at once, or never."""
        return self._due.awaits_across

    @property
    def awaits_behind_chunk(self) -> bool:
        """Whether the next reply shows if the server reads on behind a chunk: at once, or never."""
        if not self._ahead.transactions or not self._pace.is_trying:
            return False
        is_answered = self._ahead.transactions[0].content is not None
        return is_answered and self.awaited in _BEGIN_AHEAD

    @property
    def is_new_to_windows(self) -> bool:
        """Whether the first window that the server has ever got is without an answer."""
        return self.is_ahead and not self._pace.proven

    @property
    def is_trying_across(self) -> bool:
        """Whether the reply to the command that tries it is not there."""
        return self._due.has(ACROSS)

    @property
    def knows_client(self) -> bool:
        """Whether the server was told in whose name this session is."""
        return self._handshake.knows_client

    @property
    def is_client_refused(self) -> bool:
        """Whether the server refused the session when it knew in whose name that is."""
        return self._handshake.is_client_refused

    @property
    def probed(self) -> ChunkingProbeResult | None:
        """The result of the probe for CHUNKING, for later sessions."""
        return self._handshake.probed

    @property
    def is_probing(self) -> bool:
        """Whether the probe for CHUNKING waits for its replies."""
        return self.awaited in PROBE_STEPS or self.awaited in REST_STEPS

    @property
    def is_ahead(self) -> bool:
        """Whether there are some in the window."""
        return bool(self._ahead.transactions)

    # The window

    @property
    def _is_window_open(self) -> bool:
        if self._opening is not None:
            return False
        if self.is_audited and (self._audited is not None or self._due):
            return False  # the message under way is the last
        if self.runs_ahead:
            return self._ahead.has_room
        if not self._due:
            return True
        if self._due.last is RSET:
            return self.is_pipelining
        return self._may_go_across and self._pace.across is ContentPipelining.BORNE

    @property
    def _may_go_across(self) -> bool:
        is_allowed = self._pipelining >= Pipelining.ACROSS and not self._handshake.tries_last
        return self.is_pipelining and is_allowed

    @property
    def _needs_lines(self) -> bool:
        """Whether each octet must be in a line that ends.

        The client that was turned around may be fetchmail. It passes whole lines on, and would wait
        for the rest of the last one.
        """
        return self._handshake.tries_last

    def _unanswered(self) -> list[ClientTransaction]:
        begun = self._due.transactions()
        return begun if self._opening is None else [*begun, self._opening]

    def _match(self, reply: ServerReply) -> None:
        if reply.code == _BUSY:
            self._end(SessionEnding.BUSY, reply.text)
            return
        if not self._due.answerable:
            raise PeerBroke(f"an unexpected reply, to no command: {reply.text}")
        step, transaction = self._due.front()  # stays there until the reply is known to fit
        if reply.is_positive and reply.code not in step.goes_on:
            raise PeerBroke(f"no reply to {step.name}: {reply.text}")
        if self._replies.was_odd:
            self._take_odd(step, reply)
        self._due.take()
        if transaction is None:
            self._take_session_reply(step, reply)
        else:
            _TRANSACTION_STEPS[step](self, transaction, reply)
        if self._ahead.transactions and not self._due and self._opening is None:
            self._settle_window()
        if self._is_quitting:
            self._quit_when_idle()

    def _new_reader(self) -> ReplyReader:
        reader = self._handshake.new_reader()
        reader.asks_about_lf = True
        return reader

    def _meet_lf(self) -> None:
        """Decide about a bare LF: in a reply that alone is due, the audit makes it safe.

        The first line of the reply to content has the code that counts: an audit adds nothing.
        """
        is_alone = self._due.answerable == 1 == len(self._due) and not self.runs_ahead
        is_alone &= self.awaited is not CONTENT
        self._replies.decide_about_lf(ends_lines=is_alone)
        self.is_audited = is_alone
        if self._due.answerable > 1:
            is_probing = self.runs_ahead or self.is_probing
            behind = Pipelining.ACROSS if self.awaited is CONTENT else Pipelining.OPENING
            self.not_borne_for_lf = Pipelining.AHEAD if is_probing else behind

    def _take_odd(self, step: DialogueStep, reply: ServerReply) -> None:
        """Send nothing behind content from now on: an odd reply could be mistaken for two."""
        self._pace.across = ContentPipelining.NOT_BORNE
        if not self.runs_ahead:
            self.is_across_refused |= self._due.answerable > 1
        if step is CONTENT and self._due.answerable > 1 and not self.runs_ahead:
            raise PeerBroke(f"a malformed reply among several that are due: {reply.text}")

    def _settle_window(self) -> None:
        """Settle the window that ran ahead: every reply is there, and nothing may follow.

        Raises PeerBroke.
        """
        if self._replies.has_surplus:
            raise PeerBroke("more replies than commands")
        self._events.extend(self._ahead.settle())

    def _quit_when_idle(self) -> None:
        is_idle = not self._due and self._opening is None and not self.awaits_close
        if not self._is_ready or self._is_over or not is_idle:
            return
        has_leave = self._tries and not self.is_audited
        if has_leave and (trial := self._handshake.take_trial()) is not None:
            self._due.send_all(trial.data, trial.steps)
        else:
            self._due.send(b"QUIT\r\n", QUIT)

    def _end(self, ending: SessionEnding, reason: str) -> None:
        self._is_over = True
        if ending is SessionEnding.BUSY:
            self._events.extend(self._ahead.settle_answered(self._unanswered()))
        self._events.append(SessionEnded(ending, reason))

    # The session's own steps

    def _take_session_reply(self, step: DialogueStep, reply: ServerReply) -> None:
        if step in (EHLO, HELO):
            self._replies.learns_line_end = False
        if step is QUIT and self._audited is not None:
            self.awaits_close = True
        elif step is QUIT:
            self._end(SessionEnding.QUIT, reply.text)
        elif step is ACROSS:
            self._bear_across(is_borne=reply.is_positive)
        elif step not in (RSET, NOOP):
            self._go_on(self._handshake.take(step, reply))
        elif (
            step is RSET and not reply.is_positive
        ):  # later commands would be taken for part of the old transaction
            self._end(SessionEnding.REFUSED, f"RSET: {reply.text}")

    def _bear_across(self, *, is_borne: bool) -> None:
        self._pace.across = ContentPipelining.BORNE if is_borne else ContentPipelining.NOT_BORNE
        self.is_across_refused = not is_borne

    def _go_on(self, following: HandshakeStep) -> None:
        match following:
            case HandshakeSend() | SessionReady() if self._is_quitting:
                self._due.send(b"QUIT\r\n", QUIT)
            case HandshakeSend(data, steps):
                self._due.send_all(data, steps)
            case HandshakeAwait(steps):
                self._due.add_answerable(steps)
            case BeginTls():
                if (
                    self._replies.has_surplus
                ):  # somebody between us put replies where TLS must begin
                    raise PeerBroke("bytes after the reply to STARTTLS, before the handshake")
                self._events.append(following)
            case SaltPassword():
                self._events.append(following)
            case SessionReady():
                self.offer = self._handshake.offer
                mode = SendingMode.DATA if self.is_audited else self._handshake.mode
                self._ahead.open(mode, has_codes=self._handshake.has_codes)
                if self._handshake.is_another_server:
                    self._pace.start_again()
                self._is_ready = True
                self._events.append(following)
            case HandshakeRefuse(reason):
                self._end(SessionEnding.REFUSED, reason)

    # The steps of a transaction

    def _take_mail(self, transaction: ClientTransaction, reply: ServerReply) -> None:
        transaction.mail = reply
        self._send_withheld(transaction)

    def _take_rcpt(self, transaction: ClientTransaction, reply: ServerReply) -> None:
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

    def _take_data(self, transaction: ClientTransaction, reply: ServerReply) -> None:
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
            self._taken > 0 and not self._is_quitting
        )  # one message tells that there may be more
        if (
            is_worth_it
            and self._may_go_across
            and self._pace.across is ContentPipelining.UNTRIED
            and not self.runs_ahead
        ):
            self._pace.across = ContentPipelining.TRYING
            self._due.send(b"RSET\r\n", ACROSS)

    def _take_end_mark(self, transaction: ClientTransaction, _: ServerReply) -> None:
        self._end_transaction(transaction)

    def _take_content(self, transaction: ClientTransaction, reply: ServerReply) -> None:
        transaction.content = reply
        self._taken += reply.is_positive
        self._end_transaction(transaction)

    def _end_transaction(self, transaction: ClientTransaction) -> None:
        if transaction.is_out_of_turn:
            self._bear_across(is_borne=False)
            transaction.start_again()
            self._say_opening(transaction, opening_commands(transaction.message, self.offer))
        elif self.is_audited:
            self._audited = transaction
            self._is_quitting = True
        elif not transaction.is_chunked:  # otherwise when the window is settled
            self._events.append(TransactionEnded(transaction))

    def _conclude(self, transaction: ClientTransaction) -> None:
        """End a transaction whose content did not go."""
        self._opening = None
        if (
            transaction.is_left_open
        ):  # its end counts with the reply to RSET: a refusal out of step shows there
            self._due.send(b"RSET\r\n", RSET, transaction)
        else:
            self._end_transaction(transaction)

    def _take_reset(self, transaction: ClientTransaction, reply: ServerReply) -> None:
        self._end_transaction(transaction)
        self._take_session_reply(RSET, reply)


_ENDS: Final = (DATA, CONTENT)  # the steps after the last RCPT
_BEGIN_AHEAD: Final = (RSET, MAIL)  # the first steps of a transaction that goes ahead


def _is_taken(reply: ServerReply | None) -> bool:
    return reply is not None and reply.is_positive


_TRANSACTION_STEPS: Final[
    Mapping[DialogueStep, Callable[[ClientSession, ClientTransaction, ServerReply], None]]
] = {
    MAIL: ClientSession._take_mail,  # noqa: SLF001
    RCPT: ClientSession._take_rcpt,  # noqa: SLF001
    DATA: ClientSession._take_data,  # noqa: SLF001
    CONTENT: ClientSession._take_content,  # noqa: SLF001
    END_MARK: ClientSession._take_end_mark,  # noqa: SLF001
    RSET: ClientSession._take_reset,  # noqa: SLF001
}
