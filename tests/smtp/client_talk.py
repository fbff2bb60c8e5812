"""A client session with mail to send, and a player of transcripts with the server's lines.

Successive `S: …` lines come in one read. The `C: …` lines after them must be exactly what is sent
then. `S~ …` gives octets as written, with \\r, \\n and \\xNN understood. `T:` is the end of a
requested TLS handshake.
"""

from collections import deque
from itertools import groupby
from textwrap import dedent

from restante.delivery.reply_outcome import outcome_of
from restante.mail.dsn_request import DsnRequest
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, HeldMessage
from restante.queue.recipient_status import RecipientMove
from restante.sasl.scram_keys import salted_password
from restante.smtp.client_auth import ClientLogin
from restante.smtp.client_events import (
    BeginTls,
    ClientEvent,
    ContentWanted,
    SaltPassword,
    SessionEnded,
    TransactionEnded,
    WindowSettled,
)
from restante.smtp.client_session import ClientSession
from restante.smtp.client_transaction import ClientTransaction
from restante.smtp.handshake import ClientOptions
from restante.smtp.pipelining import ContentPipelining
from restante.smtp.window_size import SLOW, WindowPace
from restante.tenancy.model import TlsUse

PIPELINING = (
    "S: 220 p.example ESMTP\nC: EHLO mx2.example.net\nS: 250-p.example\nS: 250 PIPELINING\n"
)
CHUNKING_OFFERED = """
    S: 220 p.example ESMTP
    C: EHLO mx2.example.net
    S: 250-p.example
    S: 250-PIPELINING
    S: 250 CHUNKING
"""
PROBED = """
    C: MAIL FROM:<>
    C: BDAT 12 LAST
    C: NOPE
    C: NOPE
    C: MAIL FROM:<>
    C: RSET
"""
CHUNKING = f"""
    {CHUNKING_OFFERED.strip()}
    {PROBED.strip()}
    S: 250 2.1.0 OK
    S: 554 5.5.1 no valid recipients
    S: 250 2.1.0 OK
    S: 250 2.0.0 OK
"""
PLAIN = "S: 220 p.example ESMTP\nC: EHLO mx2.example.net\nS: 250 p.example\n"


def mail(
    number: int = 1,
    *to: str,
    content: bytes = b"Subject: x\r\n\r\nbody\r\n",
    reverse_path: str = "a@a.example",
    is_8bit: bool = False,
    needs_smtputf8: bool = False,
    file: ContentFile | None = None,
    dsn: DsnRequest | None = None,
) -> HeldMessage:
    """Make a held message; without recipients it is for b@b.example."""
    envelope = Envelope(reverse_path, to or ("b@b.example",), is_8bit, needs_smtputf8)
    return HeldMessage(number, 1, envelope._replace(dsn=dsn), 1e9, content, file)


class ClientTalk:
    """Begins its messages as soon as it may, as the shell does."""

    seconds_per_window = SLOW  # so its size stays

    def __init__(
        self,
        *messages: HeldMessage,
        tls: TlsUse = TlsUse.OFF,
        login: ClientLogin | None = None,
        across: ContentPipelining = ContentPipelining.BORNE,
    ) -> None:
        """`across`: the earlier findings about the server."""
        self.pace = WindowPace()
        self.pace.across = across
        options = ClientOptions("mx2.example.net", tls, login, new_nonce=lambda: "nonce")
        self.session = ClientSession(options, self.pace)
        self.waiting = deque(messages)
        self.events: list[ClientEvent] = []
        self.moves: dict[int, dict[str, RecipientMove]] = {}
        self.replies: dict[int, list[str]] = {}

    def receive(self, data: bytes) -> None:
        """Take bytes from the server, and begin what can be begun."""
        self.session.receive_data(data)
        self.go_on()

    def go_on(self) -> None:
        self._take_events()
        while self.session.can_begin and self.waiting:
            self.session.begin(ClientTransaction(self.waiting.popleft()))
            self._take_events()

    def _take_events(self) -> None:
        while (event := self.session.next_event()) is not None:
            self.events.append(event)
            if isinstance(event, TransactionEnded):
                self._note(event.transaction)
            elif isinstance(event, SaltPassword):
                self.session.password_salted(salted_password(event.password, event.salting))
            elif isinstance(event, WindowSettled):
                self.pace.adapt(self.seconds_per_window, is_whole=event.is_whole)

    def _note(self, transaction: ClientTransaction) -> None:
        outcome = outcome_of(transaction)
        moves = self.moves.setdefault(outcome.number, {})
        moves.update({recipient.forward_path: recipient.move for recipient in outcome.recipients})
        self.replies[outcome.number] = [recipient.reply for recipient in outcome.recipients]

    def transcript(self, *texts: str) -> "ClientTalk":
        """Play transcripts, one after another."""
        lines = [
            line
            for text in texts
            for line in dedent(text).splitlines()
            if line and not line.startswith("#")
        ]
        for kind, group in groupby(lines, lambda line: line[:1]):
            self._play(kind, [(line[1:2], line[3:]) for line in group])
        assert self.session.data_to_send() == b""
        return self

    def _play(self, kind: str, lines: list[tuple[str, str]]) -> None:
        if kind == "C":
            expected = "".join(f"{words}\r\n" for _, words in lines)
            assert self.session.data_to_send().decode() == expected
        elif kind == "S":
            assert self.session.data_to_send() == b"", "more was sent than the transcript says"
            self.receive(
                b"".join(
                    _octets(words) if mark == "~" else f"{words}\r\n".encode()
                    for mark, words in lines
                )
            )
        else:
            assert kind == "T", f"not a line of a transcript: {kind!r}"
            assert isinstance(self.events[-1], BeginTls)
            self.session.tls_established()

    @property
    def ending(self) -> SessionEnded:
        """How the session ended."""
        assert isinstance(self.events[-1], SessionEnded)
        return self.events[-1]

    @property
    def outstanding(self) -> list[int]:
        """The numbers of the messages without an outcome."""
        return [transaction.message.number for transaction in self.session.outstanding()]

    @property
    def wants_content(self) -> bool:
        """Whether the file of a large message is asked for."""
        return bool(self.events) and isinstance(self.events[-1], ContentWanted)


def _octets(words: str) -> bytes:
    return words.encode("latin-1").decode("unicode_escape").encode("latin-1")
