"""A stranger's bytes into the server session, cut anyhow, every event answered as the input says.

The rule: an event or replies, nothing else. A transaction is open when its commands and content
come. Content has no bare newline and no NUL. Nothing waits for an answer after the end. Stored data
and replies stay small. Neither cuts nor late answers change anything. All of it fits for a client
that matches replies by position.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from restante.sasl.auth_login import AuthLogin
from restante.sasl.cram_md5 import CramMd5
from restante.sasl.mechanism import ScramCredentials
from restante.sasl.plain import PlainExchange
from restante.sasl.scram import ScramSha256
from restante.sasl.scram_keys import Salting
from restante.smtp import replies
from restante.smtp.commands import Atrn, Data, Etrn, Mail, Rcpt, StartTls
from restante.smtp.limits import AUTH_OCTETS, COMMAND_OCTETS, SmtpLimits
from restante.smtp.phases import Phase
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
from restante.smtp.server_options import (
    TAKES_MAIL,
    MechanismFactories,
    ServerOptions,
    ServiceProfile,
)
from restante.smtp.server_session import ServerSession
from tests.fuzz.choices import Choices, pieces, read_input
from tests.fuzz.client_view import ClientView
from tests.fuzz.replies_check import count_replies

_ANSWERS: Final[Mapping[type[ServerEvent], tuple[Reply, ...]]] = {  # the first is the good one
    Mail: (replies.SENDER_OK, replies.STORE_FAILED),
    Rcpt: (replies.RECIPIENT_OK, replies.RECIPIENT_OK, replies.RELAYING_DENIED),
    Data: (replies.START_CONTENT, replies.STORE_FAILED),
    StartTls: (replies.READY_FOR_TLS, replies.INTERNAL_ERROR),
    Etrn: (replies.QUEUING_STARTED.fill(target="x"), replies.NODE_INVALID),
    Atrn: (replies.TURNING_AROUND, replies.TURN_REFUSED),
    Authenticate: (replies.AUTHENTICATED, replies.BAD_CREDENTIALS),
    ChunkReceived: (replies.CHUNK_OK.fill(octets=1), replies.STORE_FAILED),
    ContentReceived: (replies.OK, replies.STORE_FAILED),
}
_LIMITS: Final = (
    SmtpLimits(),
    SmtpLimits(
        message_octets=60,
        recipients=2,
        errors=5,
        early_commands=3,
        junk_commands=5,
        refused_recipients=2,
    ),
    SmtpLimits(
        message_octets=1, recipients=1, errors=1000, early_commands=1000, junk_commands=1000
    ),
)
_MECHANISMS: Final[MechanismFactories] = {
    "PLAIN": PlainExchange,
    "LOGIN": AuthLogin,
    "CRAM-MD5": lambda: CramMd5(b"<1.2@mx2.example.net>"),
    "SCRAM-SHA-256": lambda: ScramSha256("SERVER", lambda _user: Salting(b"salt", 1)),
}
_PROFILES: Final = (
    TAKES_MAIL,
    ServiceProfile(turns_around=True),
    ServiceProfile(takes_mail=False, turns_around=True),
)
_BARE_NEWLINE: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_OPENED: Final = (Mail, Rcpt, Data, ContentBlock, ChunkReceived, ContentReceived)


def check(data: bytes) -> None:
    """Run one input. Raises what breaks the rule."""
    settings, octets, stream = read_input(data, 4)
    limits, can_start_tls = settings.one_of(_LIMITS), settings.flag()
    has_tls = settings.flag()
    is_impatient = settings.flag()
    options = ServerOptions(
        "mx2.example.net", limits, _MECHANISMS, can_start_tls, settings.one_of(_PROFILES)
    )
    sliced = _Shell(options, Choices(octets), has_tls=has_tls)
    choices = Choices(octets)
    for piece in pieces(stream, choices):
        sliced.receive(piece, is_late=choices.flag())
        if is_impatient and choices.below(16) == 15:
            sliced.close()
    sliced.end()
    if not (
        is_impatient or sliced.has_seen_starttls
    ):  # octets behind STARTTLS count by their time, rightly
        whole = _Shell(options, Choices(octets), has_tls=has_tls)
        whole.receive(stream)
        whole.end()
        assert sliced.seen() == whole.seen()
        profile, limit = options.profile, options.limits.message_octets
        view = ClientView(stream, whole.said, limit, takes_mail=profile.takes_mail)
        view.walk()
        assert whole.messages == view.messages


@dataclass
class _Shell:
    """Runs a session like reception, with less in it. Answers are drawn in order, despite cuts."""

    options: ServerOptions
    answers: Choices
    has_tls: bool
    said: bytes = b""
    events: list[ServerEvent] = field(default_factory=list)  # less the blocks of content
    messages: list[bytes] = field(default_factory=list)
    has_seen_starttls: bool = False

    def __post_init__(self) -> None:
        self._session = ServerSession(self.options, has_tls=self.has_tls)
        self._awaited: Answered | None = None
        self._received = 0
        self._is_open = False  # a transaction
        self._has_recipient = False
        self._content = b""

    def receive(self, piece: bytes, *, is_late: bool = False) -> None:
        """Take a piece of the stream. With `is_late`, answers come with the next piece."""
        self._received += len(piece)
        self._session.receive_data(piece)
        if self._awaited is None or not is_late:
            self.go_on(until_late=is_late)
        self._check_size()

    def go_on(self, *, until_late: bool = False) -> None:
        """Answer events until none waits; with `until_late` up to the first that can wait."""
        self._answer()
        while (event := self._session.next_event()) is not None:
            self._take(event)
            if until_late and self._awaited is not None:
                break
            self._answer()
        self.said += self._session.data_to_send()

    def close(self) -> None:
        self._session.close(replies.TIMED_OUT.fill(hostname="mx2.example.net"))
        self._awaited = None
        assert not self._session.awaits_answer

    def end(self) -> None:
        """Answer what still waits, and look at the whole."""
        self.go_on()
        count_replies(self.said)
        assert self._session.is_authenticated == (
            re.search(rb"^235 ", self.said, re.MULTILINE) is not None
        )
        if self._session.phase is Phase.CLOSED:
            self._session.receive_data(b"NOOP\r\n")
            assert self._session.next_event() is None
            assert (self._session.data_to_send(), self._session.unread_octets) == (b"", 0)

    def seen(self) -> tuple[bytes, list[ServerEvent], list[bytes], Phase]:
        """Return all that can be seen of the session."""
        return self.said, self.events, self.messages, self._session.phase

    def _take(self, event: ServerEvent) -> None:
        assert isinstance(event, ServerEvent)
        if isinstance(event, Answered):
            assert self._session.phase is not Phase.CLOSED, f"{event} after the end"
            assert self._session.next_event() is None, "an event before the last was answered"
            self._awaited = event
        if isinstance(event, _OPENED):
            assert self._is_open is not isinstance(event, Mail), f"{event} out of place"
        if isinstance(event, Data | ContentBlock):
            assert self._has_recipient
        match event:
            case ContentBlock():
                self._content += event.octets
            case TransactionAborted():
                assert self._is_open
                self._is_open = False
            case _:
                self.events.append(event)

    def _answer(self) -> None:
        event, self._awaited = self._awaited, None
        if event is None:
            return
        reply = self.answers.one_of(_ANSWERS[type(event)])
        has_last_word = isinstance(event, Authenticate) and isinstance(
            event.credentials, ScramCredentials
        )
        self._session.reply(reply, b"v=proof" if has_last_word else b"")
        match event:
            case Mail() if reply.is_positive:
                self._is_open, self._has_recipient, self._content = True, False, b""
            case Rcpt() if reply.is_positive:
                self._has_recipient = True
            case ContentReceived():
                self._check_content()
                self._is_open = False
            case ChunkReceived() if not reply.is_positive:
                self._is_open = False
            case StartTls():
                self._start_tls(is_accepted=reply.is_positive)
            case _:
                pass

    def _start_tls(self, *, is_accepted: bool) -> None:
        self.has_seen_starttls = True
        self.said += self._session.data_to_send()
        if is_accepted:
            self._session.start_tls()
            assert not self._session.unread_octets, "something said in clear is left"
            assert (self._session.phase, self._session.has_tls) == (Phase.CONNECTED, True)

    def _check_content(self) -> None:
        assert not _BARE_NEWLINE.search(self._content)
        assert b"\0" not in self._content
        assert (
            len(self._content) <= 2 * self.options.limits.message_octets + 2
        )  # a bare LF becomes two octets
        self.messages.append(self._content)

    def _check_size(self) -> None:
        assert len(self.said) <= 1000 + 64 * self._received
        if self._awaited is None:
            assert self._session.unread_octets <= self._most_unread()

    def _most_unread(self) -> int:
        """A line that has not ended; content is used as it comes."""
        if self._session.is_in_content:
            return 0
        is_auth = (
            self._session._exchange is not None
            or self._session._buffer.octets[:4].upper() == b"AUTH"
        )
        return AUTH_OCTETS if is_auth else COMMAND_OCTETS
