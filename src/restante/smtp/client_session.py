"""The client side of SMTP without a socket (RFC 5321; RFC 2920, 3207, 4954, 1870, 6152, 6531).

Theory of operation. The shell gives bytes (`receive_data`) and takes events (`next_event`) until
there is none. It begins a transaction whenever `can_begin` and takes the events that this gives. It
then writes `data_to_send` once for all of that. Every reply that is due stands in one window,
`_due`, in the order in which its cause was sent. A reply belongs to the front of the window
and to nothing else. A reply that does not fit voids the session (PeerBroke). Transactions without
an outcome are then sent again, later.

- A reply can answer only octets that have left (smtp/due_replies.py).
- The commands and the content of transactions, and the replies to them, are in
  smtp/transaction_dialogue.py. With PIPELINING, an opening is one flight, and the next one may
  follow the content (smtp/session_pipelining.py). Where a probe has shown that the server supports
  it, whole transactions run ahead of their replies.
- A window settles as a unit: only when every reply has arrived, each matches its command, and
  nothing follows the last (smtp/transaction_window.py). With 250 to everything, one reply too many
  shows only then. 421 is the exception, because it says itself where the replies end. A server that
  closes after a number of messages must not get them twice.
- A reply that ends in a bare LF could have a stranger's text in it. If it is the only reply due,
  the session is audited from there on (smtp/session_audit.py); otherwise it is void.

The steps before the first transaction are in smtp/handshake.py. The transaction only collects
replies; delivery/reply_outcome.py judges what they mean for a recipient.
"""

from collections import deque
from typing import Final

from restante.smtp.chunking_probe import PROBE_STEPS, REST_STEPS, ChunkingProbeResult, SendingMode
from restante.smtp.client_events import (
    BeginTls,
    ClientEvent,
    SaltPassword,
    SessionEnded,
    SessionEnding,
    SessionReady,
    TransactionEnded,
)
from restante.smtp.client_transaction import (
    ACROSS,
    CONTENT,
    EHLO,
    GREETING,
    HELO,
    MAIL,
    NOOP,
    QUIT,
    RSET,
    ClientTransaction,
    DialogueStep,
)
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
from restante.smtp.pipelining import Pipelining
from restante.smtp.protocol_errors import PeerBroke
from restante.smtp.session_audit import SessionAudit
from restante.smtp.session_pipelining import SessionPipelining
from restante.smtp.transaction_dialogue import STEPS, TransactionDialogue
from restante.smtp.transaction_window import TransactionWindow
from restante.smtp.window_size import WindowPace

_BUSY: Final = 421  # RFC 5321 §3.8: may come at any time, and closes the session


class ClientSession:
    """Our dialogue with one server."""

    __slots__ = (
        "_ahead",
        "_audit",
        "_dialogue",
        "_due",
        "_events",
        "_handshake",
        "_is_over",
        "_is_ready",
        "_pace",
        "_pipelining",
        "_replies",
        "_tries",
        "offer",
    )

    def __init__(self, options: ClientOptions, pace: WindowPace | None = None) -> None:
        """`pace` is shared by the sessions with one server."""
        self._handshake = Handshake(options)
        self._replies = self._new_reader()
        self._events: deque[ClientEvent] = deque()
        self._due = DueReplies(GREETING)
        self._pace = pace or WindowPace()
        self._ahead = TransactionWindow(self._pace)
        self._audit = SessionAudit()
        self._pipelining = SessionPipelining(options.pipelining, self._pace, self._audit)
        self._dialogue = TransactionDialogue(
            self._due, self._events, self._ahead, self._pipelining, self._audit
        )
        self._is_ready = False
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
        dialogue = self._dialogue
        return (
            self._is_ready and not dialogue.is_closing and not self._is_over and dialogue.has_room
        )

    def begin(self, transaction: ClientTransaction) -> None:
        """Open a transaction; take its events before opening the next.

        Raises ValueError, with nothing sent, for a path that must not be sent.
        """
        assert self.can_begin, "the window is full"
        self._dialogue.begin(transaction)

    def send_content(self, block: bytes) -> None:
        """Send more of the content that a ContentWanted asked for."""
        self._dialogue.send_content(block)

    def end_content(self) -> None:
        """Send the end mark: only after the last octet of the content.

        There is no way to take content back.
        """
        self._dialogue.end_content()

    def tls_established(self) -> None:
        """Go on under TLS: everything said before it counts for nothing (RFC 3207 §4.2)."""
        self._replies = self._new_reader()
        self._audit.begin_again()
        self._go_on(self._handshake.tls_established())

    def password_salted(self, salted: bytes) -> None:
        """Go on with an authentication that had to wait for this."""
        if not self._is_over:
            self._go_on(self._handshake.password_salted(salted))

    def quit(self) -> None:
        """Begin no more transactions, and say QUIT when those begun have their replies."""
        self._dialogue.close()
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
        begun = self._dialogue.unanswered()
        audited = self._audit.outstanding()
        return list(dict.fromkeys([*audited, *self._ahead.transactions, *begun]))

    @property
    def awaited(self) -> DialogueStep | None:
        """The step whose reply comes next, None if no reply is due: each has its own timeout."""
        return self._due.awaited

    @property
    def is_sending_content(self) -> bool:
        """Whether a ContentWanted has not come to its `end_content`."""
        return self._dialogue.is_sending_content

    @property
    def runs_ahead(self) -> bool:
        """Whether transactions go ahead of their replies."""
        return self._ahead.mode is not SendingMode.DATA

    @property
    def is_pipelining(self) -> bool:
        """Whether the commands that open a transaction go in one flight."""
        return self._pipelining.is_used

    @property
    def is_across_refused(self) -> bool:
        """Whether a command behind content got 4xx or 5xx, or made an odd reply doubtful."""
        return self._pipelining.is_across_refused

    @property
    def is_audited(self) -> bool:
        """Whether replies count only if their number is right at the end."""
        return self._audit.is_on

    @property
    def awaits_close(self) -> bool:
        """Whether QUIT was answered, and the audit ends with the connection."""
        return self._audit.awaits_close

    @property
    def not_borne_for_lf(self) -> Pipelining | None:
        """The pipelining with which a bare LF came while more was due; None if none came."""
        return self._audit.not_borne

    @property
    def in_doubt(self) -> ClientTransaction | None:
        """The transaction whose content waits for its reply, outside a window that runs ahead."""
        if self._audit.has_transaction:
            return self._audit.in_doubt
        if not self._due.answerable or self.runs_ahead:
            return None
        step, transaction = self._due.front()
        return transaction if step is CONTENT else None

    def take_cut_reply(self) -> bool:
        """Take the final reply to content as far as it came, if its code can be read.

        Call it when nothing more will come, and take the events after it. Replies come in order,
        so its octets belong to the content also if commands behind it wait for theirs.
        """
        is_due = self.in_doubt is not None and not self._is_over and not self._audit.is_on
        reply = self._replies.cut_reply() if is_due else None
        if reply is None or (reply.is_positive and reply.code not in CONTENT.goes_on):
            return False
        self._match(reply)
        return True

    def end_audit(self) -> None:
        """Let the last transaction end: the server has closed the connection by itself.

        Nothing happens if the session is not audited, or if its replies are too few or too many.
        """
        if self._is_over or self._replies.has_surplus:
            return
        if (audited := self._audit.take_ended()) is not None:
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

    # Replies

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
        if transaction is not None:
            STEPS[step](self._dialogue, transaction, reply)
        if transaction is None or step is RSET:
            self._take_session_reply(step, reply)
        if self._ahead.transactions and not self._due and not self._dialogue.is_opening:
            self._settle_window()
        if self._dialogue.is_closing:
            self._quit_when_idle()

    def _new_reader(self) -> ReplyReader:
        reader = self._handshake.new_reader()
        reader.asks_about_lf = True
        return reader

    def _meet_lf(self) -> None:
        ends_lines = self._audit.meet_lf(
            self._due, runs_ahead=self.runs_ahead, is_probing=self.is_probing
        )
        self._replies.decide_about_lf(ends_lines=ends_lines)

    def _take_odd(self, step: DialogueStep, reply: ServerReply) -> None:
        is_doubtful = self._due.answerable > 1 and not self.runs_ahead
        self._pipelining.met_odd_reply(others_due=is_doubtful)
        if step is CONTENT and is_doubtful:
            raise PeerBroke(f"a malformed reply among several that are due: {reply.text}")

    def _settle_window(self) -> None:
        """Settle the window that ran ahead: every reply is there, and nothing may follow.

        Raises PeerBroke.
        """
        if self._replies.has_surplus:
            raise PeerBroke("more replies than commands")
        self._events.extend(self._ahead.settle())

    def _quit_when_idle(self) -> None:
        is_idle = not (self._due or self._dialogue.is_opening or self._audit.awaits_close)
        if not self._is_ready or self._is_over or not is_idle:
            return
        has_leave = self._tries and not self._audit.is_on
        if has_leave and (trial := self._handshake.take_trial()) is not None:
            self._due.send_all(trial.data, trial.steps)
        else:
            self._due.send(b"QUIT\r\n", QUIT)

    def _end(self, ending: SessionEnding, reason: str) -> None:
        self._is_over = True
        if ending is SessionEnding.BUSY:
            self._events.extend(self._ahead.settle_answered(self._dialogue.unanswered()))
        self._events.append(SessionEnded(ending, reason))

    # The session's own steps

    def _take_session_reply(self, step: DialogueStep, reply: ServerReply) -> None:
        if step in (EHLO, HELO):
            self._replies.learns_line_end = False
        if step is QUIT and self._audit.has_transaction:
            self._audit.quit_answered()
        elif step is QUIT:
            self._end(SessionEnding.QUIT, reply.text)
        elif step is ACROSS:
            self._pipelining.across_answered(is_borne=reply.is_positive)
        elif step not in (RSET, NOOP):
            self._go_on(self._handshake.take(step, reply))
        elif (
            step is RSET and not reply.is_positive
        ):  # later commands would be taken for part of the old transaction
            self._end(SessionEnding.REFUSED, f"RSET: {reply.text}")

    def _go_on(self, following: HandshakeStep) -> None:
        match following:
            case HandshakeSend() | SessionReady() if self._dialogue.is_closing:
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
                self._begin_transactions()
                self._events.append(following)
            case HandshakeRefuse(reason):
                self._end(SessionEnding.REFUSED, reason)

    def _begin_transactions(self) -> None:
        self.offer, tries_last = self._handshake.offer, self._handshake.tries_last
        mode = SendingMode.DATA if self._audit.is_on else self._handshake.mode
        self._ahead.open(mode, has_codes=self._handshake.has_codes)
        self._pipelining.open(is_offered=self.offer.has_pipelining, may_try=not tries_last)
        self._dialogue.open(self.offer, needs_lines=tries_last)
        if self._handshake.is_another_server:
            self._pace.start_again()
        self._is_ready = True


_BEGIN_AHEAD: Final = (RSET, MAIL)  # the first steps of a transaction that goes ahead
