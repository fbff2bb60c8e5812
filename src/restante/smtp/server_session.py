"""The server side of SMTP without a socket (RFC 5321; docs/rfc.md lists the extensions).

Theory of operation. The shell gives bytes (`receive_data`) and takes events (`next_event`) until
there is none. An event that wants an answer gets it by `reply`. Until then `next_event` returns
None and nothing more is parsed. So pipelined commands need no code of their own, here or in the
shell. Commands that need no outside fact (syntax, sequence, EHLO, RSET, NOOP, HELP, VRFY, QUIT) are
answered here. Replies gather in `data_to_send`: one write for a whole group.

The bytes of the stream are either lines or content: content while `_incoming` is there, otherwise
lines (smtp/incoming_content.py). Only the table in smtp/phases.py says whether a command fits the
moment.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, cast, get_args

from restante.smtp import replies
from restante.smtp.auth_exchange import AuthConclusion, AuthExchange, challenge
from restante.smtp.commands import (
    Atrn,
    Auth,
    Bdat,
    Command,
    Data,
    Etrn,
    Hello,
    Help,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Reset,
    StartTls,
    Unimplemented,
    Verify,
    decode_initial,
    parse_command,
)
from restante.smtp.content import ChunkDecoder
from restante.smtp.incoming_content import (
    IncomingChunk,
    IncomingContent,
    IncomingData,
    RefusedChunk,
)
from restante.smtp.lines import LineBuffer
from restante.smtp.masked_dialogue import DialogueObserver
from restante.smtp.phases import IN_TRANSACTION, TRANSITIONS, Phase
from restante.smtp.protocol_errors import CommandRefused
from restante.smtp.replies import Reply
from restante.smtp.server_events import (
    Answered,
    Authenticate,
    ChunkReceived,
    ContentBlock,
    ContentReceived,
    ServerEvent,
    TransactionAborted,
)
from restante.smtp.server_options import ServerOptions
from restante.smtp.session_end import SessionEnd

_ANSWERED: Final = frozenset(
    get_args(Answered)
)  # asked of every event: a set takes a sixth of isinstance's time

_FIXED_REPLIES: Final[Mapping[type[Command], Reply]] = {
    Reset: replies.OK,
    Noop: replies.OK,
    Verify: replies.CANNOT_VERIFY,
    Unimplemented: replies.NOT_IMPLEMENTED,
}

_VISIBLE: Final = range(ord("!"), ord("~") + 1)
_NOT_VISIBLE: Final = bytes(octet for octet in range(256) if octet not in _VISIBLE)


def _is_bdat(failed: bytes) -> bool:
    """Tell whether a line that failed may announce octets (RFC 3030 §2).

    Their number is unknown, and they would be taken for commands: the session must end. Octets that
    are not visible do not hide the verb, since another reader may skip them.
    """
    return failed.translate(None, _NOT_VISIBLE)[:4].upper() == b"BDAT"


class ServerSession:
    """One client's dialogue with us."""

    __slots__ = (
        "_awaiting",
        "_buffer",
        "_chunk_decoder",
        "_content_octets",
        "_events",
        "_exchange",
        "_incoming",
        "_junk_count",
        "_observer",
        "_options",
        "_outgoing",
        "_refused_recipient_count",
        "client_name",
        "command_count",
        "end",
        "error_count",
        "has_certificate",
        "has_tls",
        "is_authenticated",
        "is_extended",
        "phase",
        "recipient_count",
    )

    def __init__(self, options: ServerOptions, *, has_tls: bool) -> None:
        """Greet. `has_tls` for a listener with implicit TLS."""
        self._options = options
        self._buffer = LineBuffer()
        self._outgoing: list[bytes] = []
        self._events: list[ServerEvent] = []  # found and not yet given out
        self._awaiting: Answered | None = None
        self._exchange: AuthExchange | AuthConclusion | None = None
        self._incoming: IncomingContent | None = None
        self._chunk_decoder: ChunkDecoder | None = None
        self._content_octets = 0  # announced by the BDATs of this transaction
        self.phase = Phase.CONNECTED
        self.has_tls = has_tls
        self.has_certificate = False  # whether the client has shown one
        self.is_authenticated = False
        self.is_extended = False
        self.client_name = ""  # as EHLO or HELO gave it
        self.recipient_count = 0
        self.error_count = 0
        self.command_count = 0  # lines that were complete, good or bad
        self.end = SessionEnd.QUIT  # why, once it is closed
        self._junk_count = 0  # since the last message
        self._refused_recipient_count = 0
        self._observer: DialogueObserver | None = None  # while somebody traces the session
        self._say(options.greeting)

    # The methods that the shell calls

    def be_observed(self, observer: DialogueObserver) -> None:
        """Let somebody see the dialogue from now on."""
        self._observer = observer

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the client. Call `next_event` until it returns None after this."""
        if self.phase is not Phase.CLOSED:
            self._buffer.receive(data)

    def next_event(self) -> ServerEvent | None:
        """Return what to do next; None when an answer is awaited or more bytes are needed."""
        while self._awaiting is None:
            if self._events:
                event = self._events.pop(0)
                if type(event) in _ANSWERED:
                    self._awaiting = cast(Answered, event)
                return event
            if not self._buffer.octets or self.phase is Phase.CLOSED or not self._advance():
                return None
        return None

    def reply(self, reply: Reply, last_word: bytes = b"") -> None:
        """Answer the event that waits for it.

        `last_word` is the server's proof after good credentials. The reply follows when the client
        has taken it.
        """
        event, self._awaiting = self._awaiting, None
        assert event is not None, "there is nothing to answer"
        if last_word and reply.is_positive:
            self._exchange = AuthConclusion(reply)
            self._say(challenge(last_word))
            return
        self._outgoing.append(reply.octets)
        if type(event) is ContentReceived:
            self._end_transaction()
            self._junk_count = 0
        elif reply.is_positive:
            self._after_acceptance(event)
        else:
            self._after_refusal(event)

    def start_tls(self) -> None:
        """Forget everything that was said without TLS (RFC 3207 §4.2).

        Call once the handshake is done.
        """
        self._buffer.clear()
        self._outgoing.clear()
        self._end_transaction()
        self.phase = Phase.CONNECTED
        self.has_tls = True
        self.is_extended = False
        self.client_name = ""

    def close(self, reply: Reply | None = None, end: SessionEnd = SessionEnd.QUIT) -> None:
        """End the dialogue, with a final reply such as 421; later input is not read."""
        if self.phase is not Phase.CLOSED:
            self.end = end
            if reply is not None:
                self._say(reply)
        self.phase = Phase.CLOSED
        self._awaiting = None
        self._buffer.clear()

    def data_to_send(self) -> bytes:
        """Return the replies that wait, as one piece."""
        if not self._outgoing:
            return b""
        data = self._outgoing[0] if len(self._outgoing) == 1 else b"".join(self._outgoing)
        self._outgoing.clear()
        if self._observer is not None:
            self._observer.said(data)
        return data

    @property
    def awaits_answer(self) -> bool:
        """An event was given out and not answered yet."""
        return self._awaiting is not None

    @property
    def unread_octets(self) -> int:
        """How much has been received and not been used."""
        return len(self._buffer.octets)

    @property
    def is_in_content(self) -> bool:
        """Whether the next octets are content."""
        return self._incoming is not None

    # From bytes to commands and content

    def _advance(self) -> bool:
        """Use the next line or piece of content; False if there is no whole line yet."""
        if self._incoming is not None:
            return self._take_content(self._incoming)
        line: bytes | None = None
        is_authenticating = self._exchange is not None
        try:
            line = self._buffer.take_line(is_authenticating=is_authenticating)
            if line is None:
                return False
            self.command_count += 1
            if self._observer is not None:
                self._observer.heard_line(line, is_authenticating=is_authenticating)
            if self._exchange is None:
                self._obey(parse_command(line))
            else:
                self._take_step(self._exchange.respond(line))
        except CommandRefused as refused:
            self._exchange = None  # an AUTH exchange does not go on after an error
            if self._observer is not None and line is None:
                refused_line = self._buffer.refused
                self._observer.heard_line(refused_line, is_authenticating=is_authenticating)
            self._say(refused.reply)
            if _is_bdat(self._buffer.refused if line is None else line):
                self._wear_out(SessionEnd.UNREADABLE_BDAT)
                return True
            if self.phase is Phase.CONNECTED:
                self._count_junk()
            self._count_error()
        return True

    def _take_content(self, incoming: IncomingContent) -> bool:
        was_refused = incoming.refusal is not None
        before = len(self._buffer.octets)
        self._buffer.octets = incoming.take(self._buffer.octets)
        if self._observer is not None:
            self._observer.heard_content(before - len(self._buffer.octets))
        if incoming.refusal is not None and not was_refused:
            self._events.append(TransactionAborted())
        if incoming.block:
            self._events.append(ContentBlock(incoming.block))
        if incoming.is_complete:
            self._content_is_complete(incoming)
        return True

    def _content_is_complete(self, incoming: IncomingContent) -> None:
        self._incoming = None
        if incoming.refusal is not None:
            self._say(incoming.refusal)
            if isinstance(incoming, IncomingData):
                self._end_transaction()
            self._count_error()
        elif isinstance(incoming, IncomingChunk) and not incoming.is_last:
            self._events.append(ChunkReceived(incoming.octets))
        else:
            assert isinstance(incoming, IncomingData | IncomingChunk)
            self._events.append(ContentReceived(incoming.found_bare_newline, incoming.found_nul))

    # Commands

    def _obey(self, command: Command) -> None:
        """Answer a command, or make it an event once it passes the session's own checks."""
        kind = type(command)
        if kind in self._options.not_offered:
            raise CommandRefused(replies.NOT_IMPLEMENTED)
        next_phase = TRANSITIONS[self.phase].get(kind)
        if next_phase is None:
            self._out_of_sequence(command)
        elif kind in _FIXED_REPLIES:
            self._say(_FIXED_REPLIES[kind])
            if next_phase is not self.phase:
                self._abort_transaction()
            self._count_junk()
        else:
            self._CHECKS[kind](self, command)

    def _out_of_sequence(self, command: Command) -> None:
        reply = replies.GREET_FIRST if self.phase is Phase.CONNECTED else replies.BAD_SEQUENCE
        if isinstance(command, Bdat):
            self._refuse_chunk(command, reply)
            return
        if isinstance(command, Etrn | Atrn) and not self.has_tls:
            reply = replies.TLS_REQUIRED
        raise CommandRefused(reply)

    def _greet(self, hello: Hello) -> None:
        self._abort_transaction()
        self.phase = Phase.GREETED
        self.client_name = hello.name
        self.is_extended = hello.is_extended
        self._say(self._offers() if hello.is_extended else self._options.hello)
        self._events.append(hello)
        self._count_junk()

    def _offers(self) -> Reply:
        return self._options.offers(
            has_tls=self.has_tls,
            is_authenticated=self.is_authenticated,
            has_certificate=self.has_certificate,
        )

    def _check_start_tls(self, command: StartTls) -> None:
        if self.has_tls:
            raise CommandRefused(replies.TLS_ALREADY)
        if not self._options.can_start_tls:
            raise CommandRefused(replies.NOT_IMPLEMENTED)
        if (
            self._buffer.octets
        ):  # plain text put behind it, to be taken as said under TLS (CVE-2011-0411)
            self.close(replies.DATA_BEFORE_TLS, SessionEnd.DATA_BEFORE_TLS)
        else:
            self._events.append(command)

    def _check_etrn(self, command: Etrn) -> None:
        if not self.has_tls:
            raise CommandRefused(replies.TLS_REQUIRED)
        self._events.append(command)

    def _check_atrn(self, command: Atrn) -> None:
        if not self.has_tls:
            raise CommandRefused(replies.TLS_REQUIRED)
        if self._buffer.octets:  # they would be read as replies to commands that we have not sent
            raise CommandRefused(replies.BAD_SEQUENCE)
        self._events.append(command)

    def _help(self, _command: Help) -> None:
        self._say(self._options.help(has_tls=self.has_tls))
        self._count_junk()

    def _check_data(self, command: Data) -> None:
        self._events.append(command)

    def _check_mail(self, mail: Mail) -> None:
        if mail.size > self._options.limits.message_octets:
            raise CommandRefused(replies.MESSAGE_TOO_LARGE)
        self._events.append(mail)

    def _check_rcpt(self, rcpt: Rcpt) -> None:
        if rcpt.unknown:
            raise CommandRefused(replies.UNKNOWN_PARAMETER)
        if self.recipient_count < self._options.limits.recipients:
            self._events.append(rcpt)
        else:
            self._say(
                replies.TOO_MANY_RECIPIENTS
            )  # no error: the client sends the rest in another transaction

    def _quit(self, command: Quit) -> None:
        self._abort_transaction()
        self.close(self._options.bye)
        self._events.append(command)

    def _begin_chunk(self, bdat: Bdat) -> None:
        self._content_octets += bdat.octets
        if self._content_octets > self._options.limits.message_octets:
            self._abort_transaction()
            self._refuse_chunk(bdat, replies.MESSAGE_TOO_LARGE)
            return
        self.phase = Phase.CHUNKS
        if self._chunk_decoder is None:
            self._chunk_decoder = ChunkDecoder()
        self._begin_content(IncomingChunk(bdat.octets, self._chunk_decoder, is_last=bdat.is_last))

    def _refuse_chunk(self, bdat: Bdat, reply: Reply) -> None:
        self._begin_content(RefusedChunk(bdat.octets, reply))

    def _begin_content(self, incoming: IncomingContent) -> None:
        """Read content from here on; a chunk of no octets is complete at once."""
        self._incoming = incoming
        rest = incoming.take(b"")
        assert not rest
        if incoming.block:
            self._events.append(ContentBlock(incoming.block))
        if incoming.is_complete:
            self._content_is_complete(incoming)

    # Authentication

    def _begin_authentication(self, auth: Auth) -> None:
        if not self.has_tls:
            raise CommandRefused(replies.AUTH_NEEDS_TLS)
        if self.is_authenticated:
            raise CommandRefused(replies.AUTH_ALREADY)
        factory = self._options.mechanism(auth.mechanism, has_certificate=self.has_certificate)
        if factory is None:
            raise CommandRefused(replies.UNKNOWN_MECHANISM)
        self._exchange = AuthExchange(auth.mechanism, factory())
        self._take_step(self._exchange.begin(decode_initial(auth.initial)))

    def _take_step(self, outcome: Reply | Authenticate) -> None:
        if isinstance(outcome, Authenticate):
            self._exchange = None
            self._events.append(outcome)
            return
        self._say(outcome)
        if isinstance(self._exchange, AuthConclusion):
            self._exchange = None
            self.is_authenticated = True

    # After an answer

    def _after_acceptance(self, event: Answered) -> None:
        match event:
            case Mail():
                self.phase = Phase.SENDER
            case Rcpt():
                self.phase = Phase.RECIPIENTS
                self.recipient_count += 1
            case Data():
                self.phase = Phase.CONTENT
                self._incoming = IncomingData(self._options.limits.message_octets)
            case Authenticate():
                self.is_authenticated = True
            case _:
                pass

    def _after_refusal(self, event: Answered) -> None:
        match event:
            case Rcpt():
                self._refused_recipient_count += 1
                if self._refused_recipient_count >= self._options.limits.refused_recipients:
                    self._wear_out(SessionEnd.REFUSED_RECIPIENTS)
            case Authenticate() | Etrn() | Atrn():
                self._count_error()
            case ChunkReceived():
                self._end_transaction()
            case _:
                pass

    def _abort_transaction(self) -> None:
        if self.phase in IN_TRANSACTION:
            self._end_transaction()
            self._events.append(TransactionAborted())

    def _end_transaction(self) -> None:
        if self.phase in IN_TRANSACTION:
            self.phase = Phase.GREETED
        self._chunk_decoder = None
        self._content_octets = 0
        self.recipient_count = 0

    def _count_error(self) -> None:
        """End a session that only makes mistakes."""
        self.error_count += 1
        if self.error_count >= self._options.limits.errors:
            self._wear_out(SessionEnd.ERRORS)

    def _count_junk(self) -> None:
        """End a session that does nothing, at length; sooner if it has not even greeted."""
        self._junk_count += 1
        limits = self._options.limits
        if self.phase is Phase.CONNECTED:
            if self._junk_count > limits.early_commands:
                self._wear_out(SessionEnd.EARLY_COMMANDS)
        elif self._junk_count > limits.junk_commands:
            self._wear_out(SessionEnd.JUNK_COMMANDS)

    def _wear_out(self, end: SessionEnd) -> None:
        self.close(replies.TOO_MANY_ERRORS.fill(hostname=self._options.hostname), end)

    def _say(self, reply: Reply) -> None:
        self._outgoing.append(reply.octets)

    # Each function makes a command an event, answers it, or raises CommandRefused.
    # Other commands have a fixed reply.
    _CHECKS: ClassVar[Mapping[type[Command], Callable[["ServerSession", Any], None]]] = {
        Hello: _greet,
        StartTls: _check_start_tls,
        Auth: _begin_authentication,
        Mail: _check_mail,
        Rcpt: _check_rcpt,
        Data: _check_data,
        Bdat: _begin_chunk,
        Etrn: _check_etrn,
        Atrn: _check_atrn,
        Help: _help,
        Quit: _quit,
    }
