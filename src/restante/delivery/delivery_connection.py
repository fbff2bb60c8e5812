"""One connection to a destination: moves bytes between a socket, TLS and a ClientSession.

Theory of operation. Every change on the socket ends in the same three moves. The session gets the
bytes, and its events are handled. Then `_pump` begins new transactions and writes waiting data, as
long as the destination's buffers take it. There is no task, future or timer per message. One task
(`run`) sits by the connection and wakes for large content and for the end. One timer watches one
deadline, which every write and every reply moves.

Guarantees:

- A message is reported once, when its transaction has ended, or is in `outstanding` at the end,
  never both.
- Replies are read while content is written. Otherwise both sides with full buffers would wait
  permanently.
- Content that cannot be read to its end never gets an end mark: the connection is dropped instead.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Final, TypeVarTuple, cast

from restante.delivery.deadline import Deadline
from restante.delivery.link_plan import (
    ConnectionEnd,
    ConnectionWork,
    EndKind,
    LinkPlan,
    SendingManner,
)
from restante.delivery.outcome import (
    UNSAFE_PATH,
    obstacle,
    outcome_of,
    refused_for,
    session_complaint,
)
from restante.delivery.route import Endpoint, leads_home
from restante.delivery.wire import Wire
from restante.mail.message import HeldMessage
from restante.network.addresses import peer_address
from restante.network.tls import TlsFailed
from restante.sasl.scram_keys import salted_password
from restante.smtp.client_events import (
    BeginTls,
    ContentWanted,
    Ending,
    Event,
    Ready,
    SaltPassword,
    SessionEnded,
    TransactionEnded,
    WindowSettled,
)
from restante.smtp.client_session import ClientSession
from restante.smtp.client_transaction import (
    CONTENT,
    DATA,
    EHLO,
    MAIL,
    QUIT,
    RCPT,
    STARTTLS,
    ClientTransaction,
)
from restante.smtp.pipelining import Pipelining
from restante.smtp.protocol_errors import PeerBroke, ReplyEndLost
from restante.store.store_errors import StoreError

_Arguments = TypeVarTuple("_Arguments")

# Seconds. At QUIT every outcome is known, so a long wait is not worth it. But if we close before
# the server does, it may still count this connection when the next one comes.
_GOODBYE_TIMEOUT: Final = 5.0
_CLOSING_TIMEOUT: Final = 1.0
_ACROSS_TIMEOUT: Final = (
    5.0  # behind answered content: a server that drops it stays silent permanently
)
LATE_SECONDS: Final = 5.0  # for a reply, after which nothing more is put behind it
_OPENING_STEPS: Final = (MAIL, RCPT, DATA)
_CUT_TIMEOUT: Final = 30.0  # for the end of a final reply whose code is known
_CLOSED: Final = "the destination closed the connection"
_NOT_NEEDED: Final = "no longer needed"
_WRITE_OCTETS: Final = 256 * 1024  # about the size of one write, so that memory stays bounded


class DeliveryConnection(asyncio.Protocol):
    """Delivers messages over one connection, from `run` to its end."""

    def __init__(self, link_plan: LinkPlan, work: ConnectionWork) -> None:
        self._link_plan = link_plan
        self._settings = link_plan.settings
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._session = ClientSession(link_plan.options, link_plan.pace)
        self._deadline = Deadline(self._loop, self._give_up_waiting)
        self._connecting = asyncio.timeout(self._settings.connect_timeout)
        self._is_connecting = False
        self._wire: Wire | None = None  # None until there is a connection
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._news = asyncio.Event()  # for `run`: content is wanted, or the connection has ended
        self._wanted: ClientTransaction | None = None  # whose content is wanted
        self._streaming: asyncio.Task[None] | None = None  # the task that reads it from the disk
        self._begun = 0
        self._ended = 0  # transactions that have an outcome
        self._ahead_since = 0.0  # loop time at which the window began to fill
        self._windows_settled = 0
        self._is_busy = False  # it ends by 421
        self._is_hurried = False  # the final reply due has begun
        self._complaint = ""  # by the destination; the session ends for it
        self._was_ready = False
        self._was_closed = False  # by the destination
        self._is_not_needed = False  # told to finish before it could begin
        self._is_astray = False  # the destination sent a malformed or unexpected reply
        self._is_leaving = False  # QUIT was answered
        self._kind: EndKind | None = None  # set once: the connection is over
        self._reason = ""
        self._defect: Exception | None = None

    # Called by the attempt

    async def run(self) -> ConnectionEnd:
        """Connect, deliver until nothing is left or an error occurs, and return how it ended.

        Raises only for defects of ours.
        """
        try:
            await self._connect()
            await self._stand_by()
        finally:
            self._deadline.cancel()
            if self._wire is not None:  # unsent data is not worth sending now
                self._wire.abort()
        if self._defect is not None:
            raise self._defect
        assert self._kind is not None
        outstanding = tuple(transaction.message for transaction in self._session.outstanding())
        version = self._wire.tls_version if self._wire is not None else ""
        manner = self._manner()
        return ConnectionEnd(
            self._kind,
            self._reason,
            self._was_ready,
            outstanding,
            version,
            manner,
            self._not_borne(manner),
            self._session.probed,
            was_closed=self._was_closed,
            in_doubt=self._in_doubt(),
            closed_at_ehlo=self._was_closed and not version and self._session.awaited is EHLO,
            uses_ehlo=self._link_plan.options.uses_ehlo,
            garbled=self._garbled(),
        )

    def wake(self) -> None:
        """Look for messages again, unless a reply is late: a message behind it would wait too."""
        if not self.waits_long:
            self._guarded(self._pump)

    @property
    def waits_long(self) -> bool:
        """Whether all is sent, and the reply that is due does not come."""
        session = self._session
        is_due = self._was_ready and session.awaited is not None and not session.is_sending_content
        return is_due and self._loop.time() - self._deadline.moved_at > LATE_SECONDS

    @property
    def awaits_final_reply(self) -> bool:
        """Whether the reply that comes next is the one to content."""
        return self._session.awaited is CONTENT

    def finish(self) -> None:
        """Begin no more; wait for outstanding replies and send QUIT, soon if nothing was begun.

        A connection that is being made is awaited for a moment: a cut one appears as lost in the
        primary's log.
        """
        if self._wire is None and not self._is_connecting:
            self.abort(_NOT_NEEDED)
        else:
            self._guarded(self._say_quit)

    def finish_soon(self) -> None:
        """Call `finish` soon; for callbacks of this connection."""
        self._loop.call_soon(self.finish)

    def abort(self, reason: str) -> None:
        """Close at once."""
        self._close(EndKind.ABORTED, reason)

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint of this connection."""
        return self._link_plan.endpoint

    @property
    def is_ready(self) -> bool:
        """Whether it is up and can take messages."""
        return self._was_ready and self._kind is None

    def _manner(self) -> SendingManner:
        if not self._session.runs_ahead:
            return SendingManner.PROBED if self._session.is_probing else SendingManner.DATA
        return (
            SendingManner.AHEAD
            if self._windows_settled or not self._begun
            else SendingManner.AHEAD_IN_VAIN
        )

    def _not_borne(self, manner: SendingManner) -> Pipelining | None:
        """Return the pipelining that the destination failed to support, None without a sign."""
        session = self._session
        if session.is_across_refused:
            return Pipelining.ACROSS
        if self._kind is not EndKind.BROKEN:
            return None
        if manner in (SendingManner.PROBED, SendingManner.AHEAD_IN_VAIN) or (
            manner is SendingManner.AHEAD and self._is_astray
        ):
            return Pipelining.AHEAD
        if not self._is_astray and (session.awaits_across or session.is_trying_across):
            return Pipelining.ACROSS
        is_first = session.is_pipelining and not session.runs_ahead and not self._ended
        return Pipelining.OPENING if is_first and session.awaited in _OPENING_STEPS else None

    def _in_doubt(self) -> HeldMessage | None:
        transaction = self._session.in_doubt if self._kind is EndKind.BROKEN else None
        return transaction.message if transaction is not None else None

    def _garbled(self) -> str:
        """Return the data that came in place of a reply, "" if there was none."""
        if self._is_astray:
            return self._reason
        return f"{self._reason}, after {self._session.unread!r}" if self._session.unread else ""

    # The task beside the connection

    async def _connect(self) -> None:
        endpoint = self._link_plan.endpoint
        if self._kind is not None:  # aborted before it began
            return
        try:
            async with self._connecting:
                self._is_connecting = True
                await self._loop.create_connection(
                    lambda: self, str(endpoint.address), endpoint.port
                )
        except TimeoutError:
            self._close(EndKind.UNREACHABLE, "connecting timed out")
        except OSError as error:
            self._close(EndKind.UNREACHABLE, error.strerror or str(error))
        finally:
            self._is_connecting = False

    async def _stand_by(self) -> None:
        while self._kind is None:
            await self._news.wait()
            self._news.clear()
            if self._wanted is not None:
                transaction, self._wanted = self._wanted, None
                await self._stream(transaction)

    async def _stream(self, transaction: ClientTransaction) -> None:
        """Send a large message's file until done or this ends: a disk read may hang."""
        self._streaming = self._loop.create_task(self._send_file(transaction))
        try:
            await asyncio.wait([self._streaming])
        finally:
            self._streaming.cancel()
        if not self._streaming.cancelled():
            self._streaming.result()

    async def _send_file(self, transaction: ClientTransaction) -> None:
        """Send it no faster than the destination takes it."""
        file = transaction.message.file
        assert file is not None
        try:
            async for block in self._work.read_file(file):
                self._guarded(self._send_block, block)
                await self._can_write.wait()
                if self._kind is not None:
                    return
        except StoreError as error:
            self._close(EndKind.UNREADABLE, f"held content cannot be read: {error}")
        else:
            self._guarded(self._end_content)

    def _send_block(self, block: bytes) -> None:
        self._session.send_content(block)
        self._flush()

    def _end_content(self) -> None:
        self._session.end_content()
        self._pump()

    # Called by the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the destination sends its greeting first."""
        # uvloop's transport is not a subclass of it
        self._wire = Wire(cast(asyncio.Transport, transport))
        local = peer_address(transport.get_extra_info("sockname")[0])
        if self._kind is not None:  # aborted meanwhile
            self._wire.abort()
        elif leads_home(self._link_plan.endpoint, local, self._link_plan.own_addresses):
            self._close(
                EndKind.REFUSED,
                f"the destination is this server itself ({self._link_plan.endpoint.text})",
            )
        else:
            self._deadline.move(self._patience())

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        self._guarded(self._receive, data)

    def eof_received(self) -> None:
        """End: a destination that closes its side has no more replies for us."""
        self._closed_by_peer(_CLOSED)

    def connection_lost(self, exc: Exception | None) -> None:
        """End, if it has not ended."""
        self._closed_by_peer(str(exc) if exc is not None else _CLOSED)

    def _closed_by_peer(self, reason: str) -> None:
        """End because the destination closed, or because its last reply has no visible end."""
        self._guarded(self._take_cut_reply)
        self._was_closed |= self._kind is None
        self._close(EndKind.BROKEN, reason)

    def pause_writing(self) -> None:
        """Pause large content: the destination is slower than our disk."""
        self._can_write.clear()

    def resume_writing(self) -> None:
        """Resume it, and take further messages."""
        self._can_write.set()
        self._guarded(self._pump)

    # Bytes and events

    def _guarded(self, move: Callable[[*_Arguments], None], *arguments: *_Arguments) -> None:
        """Make a move for a callback: an error ends this connection only."""
        if self._kind is not None:
            return
        try:
            move(*arguments)
        except ReplyEndLost as error:
            self._closed_by_peer(str(error))
        except PeerBroke as error:
            self._is_astray = True
            self._close(EndKind.BROKEN, str(error))
        except TlsFailed as error:
            self._close(EndKind.BROKEN, f"TLS: {error}")
        except Exception as error:  # noqa: BLE001  raised again by `run`, where the drain's task meets it
            self._defect = error
            self._close(EndKind.ABORTED, "internal error")

    def _receive(self, data: bytes) -> None:
        assert self._wire is not None
        count = self._session.reply_count
        was_secure = self._wire.is_secure
        data = self._wire.read(data)
        if self._wire.is_secure and not was_secure:
            self._session.tls_established()
        self._session.receive_data(data)
        self._take_events()
        if self._wire.is_ended:
            self._closed_by_peer(_CLOSED)
        if self._kind is not None:
            return
        self._pump()
        if (
            self._session.reply_count != count
        ):  # bytes alone do not count: they could drip permanently
            self._is_hurried = False
            self._deadline.move(self._patience())

        if self._session.in_doubt is not None and self._session.has_partial_code:
            self._hurry()

    def _hurry(self) -> None:
        """Wait for the end of a final reply no longer than that: its code is known."""
        if not self._is_hurried:
            self._is_hurried = True
            self._deadline.move(min(_CUT_TIMEOUT, self._settings.content_timeout))

    def _take_cut_reply(self) -> None:
        if self._session.take_cut_reply():
            self._take_events()

    def _take_events(self) -> None:
        while (event := self._session.next_event()) is not None:
            self._handle(event)

    def _handle(self, event: Event) -> None:
        match event:
            case TransactionEnded(transaction):
                self._report(transaction)
            case WindowSettled(is_whole):
                self._windows_settled += 1
                self._link_plan.pace.adapt(self._loop.time() - self._ahead_since, is_whole=is_whole)
            case ContentWanted(transaction):
                self._wanted = transaction
                self._news.set()
            case Ready():
                self._was_ready = True
            case BeginTls():
                assert self._wire is not None
                assert self._link_plan.tls is not None, "the session was told to do without"
                self._wire.begin_tls(self._link_plan.tls)
            case SaltPassword(password, salting):
                work = self._loop.run_in_executor(None, salted_password, password, salting)
                work.add_done_callback(lambda done: self._guarded(self._go_on_salted, done))
            case SessionEnded(Ending.QUIT, _):
                self._is_leaving = True
            case SessionEnded(ending, reason):
                self._close(EndKind.BUSY if ending is Ending.BUSY else EndKind.REFUSED, reason)

    def _go_on_salted(self, salted: asyncio.Future[bytes]) -> None:
        self._session.password_salted(salted.result())
        self._pump()

    def _report(self, transaction: ClientTransaction) -> None:
        outcome = outcome_of(transaction)
        self._ended += 1
        if not outcome.is_delivered and (complaint := session_complaint(transaction)):
            self._complaint = complaint
            self._session.quit()
        reply = transaction.content
        self._work.report(transaction.message, outcome, reply.text if reply is not None else "")

    # Sending

    def _pump(self) -> None:
        """Begin transactions and write all waiting data."""
        session = self._session
        while (
            session.can_begin
            and self._can_write.is_set()
            and (message := self._next_message()) is not None
        ):
            self._begin(message)
            if session.outgoing_octets >= _WRITE_OCTETS:
                self._flush()
        self._flush()

    def _begin(self, message: HeldMessage) -> None:
        refusal = obstacle(message, self._session.offer, self._link_plan.destination)
        if refusal is None:
            if not self._session.is_ahead:
                self._ahead_since = self._loop.time()
            try:
                self._session.begin(ClientTransaction(message))
            except ValueError:
                refusal = UNSAFE_PATH
            else:
                self._begun += 1
                self._take_events()
                return
        self._work.report(message, refused_for(message, refusal), str(refusal))

    def _next_message(self) -> HeldMessage | None:
        if self._begun == self._link_plan.messages:
            self._session.quit()
            return None
        return self._work.take()

    def _say_quit(self) -> None:
        self._session.quit()
        self._flush()
        if not self._was_ready:  # a greeting may take minutes, and there is nothing to wait for
            self._is_not_needed = True
            self._deadline.move(_GOODBYE_TIMEOUT)

    def _flush(self) -> None:
        data = self._session.data_to_send()
        if data and self._wire is not None:
            self._wire.write(data)
            self._deadline.move(self._patience())

    # Time

    def _patience(self) -> float:
        """Return how long the next reply may take (RFC 5321 §4.5.3.2); infinity if none is due."""
        awaited = self._session.awaited
        if self._is_not_needed:
            return _GOODBYE_TIMEOUT
        if self._is_leaving:
            return _CLOSING_TIMEOUT
        if awaited is CONTENT:
            return self._settings.content_timeout
        if awaited is QUIT:
            return _GOODBYE_TIMEOUT
        if self._session.awaits_across:
            return min(_ACROSS_TIMEOUT, self._settings.reply_timeout)
        shakes_hands = self._wire is not None and self._wire.is_shaking_hands
        is_owed = awaited is not None or shakes_hands or self._session.is_sending_content
        return self._settings.reply_timeout if is_owed else math.inf

    def _give_up_waiting(self) -> None:
        if self._is_not_needed:
            self.abort(_NOT_NEEDED)
            return
        awaited = self._session.awaited
        what = f"the reply to {awaited.name}" if awaited is not None else "the destination"
        self._guarded(self._take_cut_reply)
        self._close(EndKind.BROKEN, f"timed out waiting for {what}")

    # The end

    def _close(self, kind: EndKind, reason: str) -> None:
        if self._kind is not None:
            return
        if self._is_leaving or self._session.awaited is QUIT:
            self._say_goodbye()  # every outcome is known, and many servers close without a reply
            return
        self._is_busy = kind is EndKind.BUSY
        if kind in (EndKind.BROKEN, EndKind.BUSY) and self._fails_at_tls:
            kind = EndKind.TLS_FAILED
        self._conclude(kind, reason)
        if self._wire is not None:
            self._wire.abort()
        elif kind is EndKind.ABORTED and self._is_connecting:
            self._connecting.reschedule(self._loop.time())

    @property
    def _fails_at_tls(self) -> bool:
        """Whether it ended between STARTTLS and the end of the handshake.

        Some servers hang up at the command.
        """
        is_shaking_hands = self._wire is not None and self._wire.is_shaking_hands
        is_broken_off = self._was_closed or self._is_astray or self._is_busy
        return is_shaking_hands or (is_broken_off and self._session.awaited is STARTTLS)

    def _say_goodbye(self) -> None:
        if self._complaint:
            self._conclude(EndKind.REFUSED, self._complaint)
        else:
            self._conclude(EndKind.QUIT, "")
        if self._wire is not None:
            self._wire.close()

    def _conclude(self, kind: EndKind, reason: str) -> None:
        self._kind, self._reason = kind, reason
        if self._streaming is not None:
            self._streaming.cancel()
        self._can_write.set()
        self._news.set()
