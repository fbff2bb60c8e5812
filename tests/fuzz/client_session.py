"""A server's bytes into the client session, cut anyhow, with mail to send.

The rule: events or PeerBroke, nothing else, and nothing after an end. No message is delivered if
its content has not left. None has two outcomes or is forgotten. No password leaves without TLS, and
no mail where TLS is required. Every line sent ends with CRLF.
"""

import base64
import re
from collections import Counter
from dataclasses import replace
from typing import Final

from restante.delivery.reply_outcome import outcome_of, session_complaint
from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, HeldMessage
from restante.queue.recipient_status import RecipientMove
from restante.sasl.scram_client import MAX_ITERATIONS
from restante.sasl.scram_keys import Salting, salted_password
from restante.sasl.scram_messages import server_final
from restante.smtp.client_auth import ClientLogin
from restante.smtp.client_events import (
    BeginTls,
    ClientEvent,
    ContentWanted,
    SaltPassword,
    SessionEnded,
    SessionReady,
    TransactionEnded,
)
from restante.smtp.client_session import ClientSession
from restante.smtp.client_transaction import ClientTransaction
from restante.smtp.handshake import ClientOptions
from restante.smtp.peer_replies import MAX_LINE
from restante.smtp.protocol_errors import PeerBroke
from restante.tenancy.model import TlsUse
from tests.fuzz.choices import Choices, pieces, read_input
from tests.smtp.reference import stuffed

_LOGINS: Final = (None, ClientLogin("us", "secret"), ClientLogin("u" * 400, "s" * 300))
_DEMANDS_TLS: Final = (TlsUse.REQUIRED, TlsUse.VERIFY)
_UNSAFE_PATHS: Final = ("b\r\nDATA@b.example", "b>@b.example", "b c@b.example", "b\ud800@b.example")
_PATHS: Final = ("b@b.example", "", '"b c"@b.example', "b\u00e9@b.example", *_UNSAFE_PATHS)
_ASKED: Final = (  # by turns: a choice for it would change what the inputs found so far mean
    None,
    DsnRequest(
        Ret.FULL, "QQ+2B314", {"b@b.example": RecipientRequest(Notify.NEVER, "rfc822;b@b.example")}
    ),
)
_BODIES: Final = (b"x\r\n", b".\r\n", b"a\r\n..\r\n.\r\n", b"no end", b"")
_AUTH: Final = re.compile(
    rb"^AUTH (\w[^ \r]*)( [^\r]*)?\r\n((?:(?!QUIT\r)(?:\*|[A-Za-z0-9+/=]*)\r\n)*)", re.MULTILINE
)
_RESPONSES: Final = {b"PLAIN": 1, b"CRAM-MD5": 1, b"LOGIN": 2, b"SCRAM-SHA-256": 3}  # at most
_BARE_NEWLINE: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)")


def check(data: bytes) -> None:
    """Run one input. Raises what breaks the rule."""
    settings, octets, stream = read_input(data, 3)
    tls, login = settings.one_of(tuple(TlsUse)), settings.one_of(_LOGINS)
    options = ClientOptions(
        "mx2.example.net",
        tls,
        login and replace(login, useless=set(), unanswered=Counter()),
        new_nonce=lambda: "nonce",
    )
    choices = Choices(octets)
    shell = SessionShell(
        options, [PlannedMail(number, choices) for number in range(settings.below(5))], choices
    )
    for piece in pieces(stream, Choices(octets)):
        shell.receive(piece)
    shell.close()
    shell.check_end()


class PlannedMail:
    """A message, its content in one piece or with a part in a file."""

    def __init__(self, number: int, choices: Choices) -> None:
        self.content = b"number %d\r\n%s" % (number, choices.one_of(_BODIES))
        self.head = choices.below(len(self.content)) if choices.flag() else len(self.content)
        file = (
            ContentFile("f", len(self.content) - self.head, 0)
            if self.head < len(self.content)
            else None
        )
        paths = tuple(choices.one_of(_PATHS) for _ in range(1 + choices.below(3)))
        envelope = Envelope(
            choices.one_of(_PATHS), paths, choices.flag(), choices.flag(), _ASKED[number % 2]
        )
        self.message = HeldMessage(number, 1, envelope, 1e9, self.content[: self.head], file)


class SessionShell:
    """Runs a session like delivery, with less in it."""

    def __init__(
        self, options: ClientOptions, planned: list[PlannedMail], choices: Choices
    ) -> None:
        self._session = ClientSession(options)
        self._options = options
        self._planned = planned
        self._waiting = list(planned)
        self._choices = choices
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._wanted: ClientTransaction | None = None  # content that is still to be sent
        self._has_tls = False
        self._is_over = False
        self.said = b""
        self._heard = b""
        self._signature: bytes | None = None  # that a server owes

    def receive(self, piece: bytes) -> None:
        """Take a piece of the stream, and do all that follows."""
        self._heard += piece
        self._session.receive_data(piece)
        try:
            self._go_on()
        except PeerBroke:
            self._is_over = True
        self._begin()
        if self._wanted is not None and not self._choices.flag():
            self._send_content(self._wanted)
        if self._choices.below(16) == 10:
            self._quit()
        self._flush()

    def _quit(self) -> None:
        self._session.quit()

    def close(self) -> None:
        """End like a server that disconnects: a final reply with a code counts even if cut."""
        if self._is_over:
            return
        try:
            self._session.take_cut_reply()
            self._go_on()  # content may be wanted still: it was cut where the head ends
        except PeerBroke:
            self._is_over = True

    def _go_on(self) -> None:
        while (event := self._session.next_event()) is not None:
            assert isinstance(event, ClientEvent)
            assert not self._is_over, f"{event} after the end"
            self._take(event)
        rest = self._session._replies
        assert self._is_over or len(rest._buffer) - rest._position <= MAX_LINE + 1

    def _take(self, event: ClientEvent) -> None:
        match event:
            case BeginTls():
                assert self._options.tls is not TlsUse.OFF
                assert not self._has_tls
                assert self._session.data_to_send() == b"", (
                    "nothing may be sent before the handshake"
                )
                self._has_tls = True
                self._session.tls_established()
            case SaltPassword(password, salting):
                self._salt(password, salting)
            case SessionReady():
                self._check_proof()
            case ContentWanted():
                assert self._wanted is None
                self._wanted = event.transaction
            case TransactionEnded():
                self._judge(event.transaction)
            case SessionEnded():
                assert event.reason.isprintable()
                self._is_over = True
            case _:
                pass

    def _salt(self, password: str, salting: Salting) -> None:
        """Salt a password with few iterations, however many the server asks for."""
        assert 0 < salting.iterations <= MAX_ITERATIONS
        salted = salted_password(password, replace(salting, iterations=1))
        self._session.password_salted(salted)
        authentication = self._session._handshake._authentication
        assert authentication is not None
        self._signature = authentication._scram._signature

    def _check_proof(self) -> None:
        """A server that was chosen by SCRAM has proved itself."""
        used = [name for name, _, _ in _AUTH.findall(self.said)]
        if used and used[-1] == b"SCRAM-SHA-256":
            assert self._signature is not None
            assert base64.b64encode(server_final(self._signature))[:60] in self._heard

    def _begin(self) -> None:
        while self._waiting and self._session.can_begin:
            planned = self._waiting.pop(0)
            transaction = ClientTransaction(planned.message)
            try:
                self._session.begin(transaction)
            except ValueError:
                assert not any(transaction is each for each in self._session.outstanding())
            else:
                envelope = planned.message.envelope
                assert not {envelope.reverse_path, *envelope.forward_paths} & set(_UNSAFE_PATHS)
                self._begun.add(planned.message.number)

    def _judge(self, transaction: ClientTransaction) -> None:
        outcome = outcome_of(transaction)
        assert outcome.number in self._begun - self._ended
        self._ended.add(outcome.number)
        assert [each.forward_path for each in outcome.recipients] == [
            *transaction.message.envelope.forward_paths
        ]
        assert all(each.reply.isprintable() for each in outcome.recipients)
        assert session_complaint(transaction).isprintable()
        if RecipientMove.DELIVERED in {each.move for each in outcome.recipients}:
            content = self._planned[outcome.number].content
            by_chunk = b"BDAT %d LAST\r\n%s" % (len(content), content)
            assert stuffed(content) in self.said or by_chunk in self.said, (
                "delivered before it was sent"
            )

    def _send_content(self, transaction: ClientTransaction) -> None:
        planned = self._planned[transaction.message.number]
        rest = planned.content[planned.head :]
        cut = self._choices.below(len(rest) + 1)
        self._session.send_content(rest[:cut])
        self._session.send_content(rest[cut:])
        self._session.end_content()
        self._wanted = None

    def _flush(self) -> None:
        said = self._session.data_to_send()
        if not self._has_tls:
            assert not re.search(rb"^AUTH ", said, re.MULTILINE), "a password in clear"
            assert b"MAIL FROM" not in said or self._options.tls not in _DEMANDS_TLS
        self.said += said

    def check_end(self) -> None:
        """See that nothing is forgotten, and that what was said is lines."""
        assert {
            each.message.number for each in self._session.outstanding()
        } == self._begun - self._ended
        # Only content that was cut off can end between CR and LF.
        said = self.said if self._wanted is None else self.said.removesuffix(b"\r")
        assert not _BARE_NEWLINE.search(said)
        exchanges = _AUTH.findall(self.said)
        for mechanism, initial, responses in exchanges:  # a password is said once
            answers = responses.removesuffix(b"*\r\n")  # the exchange may be given up
            assert b"*" not in answers
            assert bool(initial) + answers.count(b"\n") <= _RESPONSES[mechanism]
        names = [name for name, _, _ in exchanges]
        assert len(names) == len(set(names)), "a mechanism is tried once"
        assert len(self.said) <= 5000 + 4 * sum(len(planned.content) for planned in self._planned)
