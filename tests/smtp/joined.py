"""Mail whose paths carry their replies, and engines joined by two streams of octets.

The paths of planned mail say what a server does with it (reference.py). So `250.451@a.example` as
reverse-path is accepted, and its content deferred. Both sides and the test agree in advance.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Final

from hypothesis import strategies as st

from restante.delivery.reply_outcome import outcome_of
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, HeldMessage
from restante.queue.recipient_status import RecipientMove
from restante.smtp import replies
from restante.smtp.client_events import ContentWanted, SessionEnded, SessionEnding, TransactionEnded
from restante.smtp.client_session import ClientSession
from restante.smtp.client_transaction import ClientTransaction
from restante.smtp.commands import Mail, Rcpt
from restante.smtp.handshake import ClientOptions
from restante.smtp.limits import SmtpLimits
from restante.smtp.replies import Reply
from restante.smtp.server_events import (
    Answered,
    ChunkReceived,
    ContentBlock,
    ContentReceived,
    ServerEvent,
    TransactionAborted,
)
from restante.smtp.server_options import ServerOptions
from restante.smtp.server_session import ServerSession
from restante.tenancy.model import TlsUse
from tests.smtp.reference import Taken, code_in, normalized
from tests.smtp.test_content import cut

_PATIENT: Final = SmtpLimits(errors=10_000, refused_recipients=10_000, junk_commands=10_000)
_MOVES: Final = {2: RecipientMove.DELIVERED, 4: RecipientMove.DEFERRED, 5: RecipientMove.REFUSED}


@dataclass(frozen=True)
class PlannedMail:
    """One message and its replies. `blocks` cuts its content; all but the first are in a file."""

    mail: int
    rcpt: tuple[int, ...]
    end: int  # the reply to the content
    content: bytes
    blocks: tuple[int, ...] = ()

    @property
    def reverse_path(self) -> str:
        return f"{self.mail}.{self.end}@a.example"

    @property
    def forward_paths(self) -> tuple[str, ...]:
        return tuple(f"{code}.{place}@b.example" for place, code in enumerate(self.rcpt))

    @property
    def taken_paths(self) -> list[str]:
        """The recipients that the server takes."""
        return [path for path in self.forward_paths if self.mail == 250 and code_in(path) == 250]

    @property
    def is_taken(self) -> bool:
        return bool(self.taken_paths) and self.end == 250

    def moves(self) -> dict[str, RecipientMove]:
        """The outcome due to each recipient: the first reply that is not positive decides."""
        decisive = {path: [self.mail, code_in(path), self.end] for path in self.forward_paths}
        return {
            path: _MOVES[next((code for code in codes if code != 250), 250) // 100]
            for path, codes in decisive.items()
        }


_codes = st.sampled_from([250, 250, 250, 450, 550])
_tokens = [
    b"\r",
    b"\n",
    b".",
    b"a",
    b"\0",
    b"\xff",
    b"\r\n",
    b"\r\n.",
    b"\r\n.\r\n",
    b"\r\n\0.\0\r\n",
    b"QUIT\r\n",
    b"DATA\r\n",
    b"x" * 70,
]
raw_contents = st.lists(st.sampled_from(_tokens) | st.binary(max_size=9), max_size=12).map(b"".join)
held_contents = raw_contents.map(normalized)
pieces = st.lists(
    st.integers(min_value=1, max_value=60), max_size=12
)  # lengths to cut a stream into, over and over


def planned_mail(contents: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[PlannedMail]]:
    """Make some mail with such contents."""
    recipients = st.lists(_codes, min_size=1, max_size=3).map(tuple)
    blocks = st.lists(st.integers(min_value=1, max_value=30), max_size=4).map(tuple)
    return st.lists(
        st.builds(PlannedMail, _codes, recipients, _codes, contents, blocks), min_size=1, max_size=4
    )


class JoinedServer:
    """A server session that does with each planned mail what its paths say."""

    def __init__(self) -> None:
        options = ServerOptions("p.example", _PATIENT, {}, can_start_tls=False)
        self.session = ServerSession(options, has_tls=False)
        self.mail_seen: list[str] = []  # every reverse-path that was asked about
        self.taken: list[Taken] = []
        self._open: Taken | None = None

    def receive(self, data: bytes) -> None:
        self.session.receive_data(data)
        while (event := self.session.next_event()) is not None:
            self._take(event)
            if isinstance(event, Answered):
                self.session.reply(self._answer(event))

    def says(self) -> bytes:
        return self.session.data_to_send()

    def _take(self, event: ServerEvent) -> None:
        match event:
            case Mail():
                assert self._open is None, "a transaction inside another"
                self._open = self._opened(event)
            case Rcpt() if code_in(str(event.forward_path)) == 250:
                assert self._open is not None
                self._open.forward_paths.append(str(event.forward_path))
            case ContentBlock():
                assert self._open is not None
                assert self._open.forward_paths
                self._open.content += event.octets
            case TransactionAborted():
                self._open = None
            case _:
                pass

    def _opened(self, mail: Mail) -> Taken | None:
        if mail.reverse_path is None:
            return Taken("the probe's")
        self.mail_seen.append(str(mail.reverse_path))
        return Taken(str(mail.reverse_path)) if code_in(str(mail.reverse_path)) == 250 else None

    def _answer(self, event: Answered) -> Reply:
        match event:
            case Mail():
                return _said(
                    code_in(str(event.reverse_path)) if event.reverse_path is not None else 250
                )
            case Rcpt():
                return _said(code_in(str(event.forward_path)))
            case ChunkReceived():
                return replies.CHUNK_OK.fill(octets=event.octets)
            case ContentReceived():
                return self._answer_content()
            case _:
                return replies.START_CONTENT

    def _answer_content(self) -> Reply:
        assert self._open is not None
        taken, self._open = self._open, None
        code = int(taken.reverse_path[4:7])
        if code == 250:
            self.taken.append(taken)
            return Reply(code, "", f"taken as {len(self.taken)}")
        return _said(code)


def _said(code: int) -> Reply:
    return Reply(code, "", "as asked")


class JoinedClient:
    """A client session with mail to send, which quits when they are sent."""

    def __init__(self, to_send: Sequence[PlannedMail]) -> None:
        self.session = ClientSession(ClientOptions("mx2.example.net", TlsUse.OFF))
        self._planned = list(to_send)
        self._waiting = [_message(number, planned) for number, planned in enumerate(to_send)]
        self.moves: dict[int, dict[str, RecipientMove]] = {}
        self.has_quit = False

    def receive(self, data: bytes) -> None:
        self.session.receive_data(data)
        self._take_events()
        while self.session.can_begin and self._waiting:
            self.session.begin(ClientTransaction(self._waiting.pop(0)))
            self._take_events()
        if not self._waiting:
            self.session.quit()

    def _take_events(self) -> None:
        while (event := self.session.next_event()) is not None:
            if isinstance(event, TransactionEnded):
                outcome = outcome_of(event.transaction)
                assert outcome.number not in self.moves
                self.moves[outcome.number] = {
                    each.forward_path: each.move for each in outcome.recipients
                }
            elif isinstance(event, ContentWanted):
                self._send_blocks(event.transaction)
            elif isinstance(event, SessionEnded):
                self.has_quit = event.ending is SessionEnding.QUIT

    def says(self) -> bytes:
        return self.session.data_to_send()

    def _send_blocks(self, transaction: ClientTransaction) -> None:
        planned = self._planned[transaction.message.number]
        for block in cut(planned.content, list(planned.blocks))[1:]:
            self.session.send_content(block)
        self.session.end_content()


def _message(number: int, planned: PlannedMail) -> HeldMessage:
    envelope = Envelope(planned.reverse_path, planned.forward_paths)
    head = planned.content
    file = None
    if planned.blocks and planned.content:
        head = cut(planned.content, list(planned.blocks))[0]
        size = len(planned.content) - len(head)
        file = ContentFile("f", size, 0) if size else None
    return HeldMessage(number, 1, envelope, 1e9, head, file)


class Join:
    """Carries bytes both ways, cut as told, until nobody says anything any more."""

    def __init__(self, up: Sequence[int], down: Sequence[int]) -> None:
        """`up` and `down` are lengths to cut what client and server say; empty: not at all."""
        self._lengths_up = _lengths(up)
        self._lengths_down = _lengths(down)
        self.sent = b""  # all that the client said

    def carry(
        self,
        client: JoinedClient,
        receive: Callable[[bytes], None],
        says: Callable[[], bytes],
    ) -> None:
        """`receive` and `says` are the server's."""
        up, down = b"", says()
        while up or down:
            piece, down = _split(down, next(self._lengths_down))
            client.receive(piece)
            up += client.says()
            piece, up = _split(up, next(self._lengths_up))
            self.sent += piece
            receive(piece)
            down += says()


def _lengths(lengths: Sequence[int]) -> Iterator[int]:
    return cycle(lengths or [1 << 20])


def _split(data: bytes, length: int) -> tuple[bytes, bytes]:
    return data[:length], data[length:]
