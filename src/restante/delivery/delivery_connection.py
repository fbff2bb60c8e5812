"""One connection to a destination: moves bytes between a wire and a ClientSession.

Theory of operation. Every change on the socket ends in the same three moves. The session gets the
bytes, and its events are handled. Then `_pump` begins new transactions and writes waiting data, as
long as the destination's buffers take it. There is no task, future or timer per message. One task
(`run`) sits by the connection and wakes for large content and for the end (content_feed.py). One
timer watches one deadline, which every write and every reply moves (reply_timer.py).

The wire is dialed, or adopted from a session of our server side (connection_source.py). In both
cases the peer's greeting comes first: nothing is said before it.

Guarantees:

- A message is reported once, when its transaction has ended, or is in `outstanding` at the end,
  never both.
- Replies are read while content is written. Otherwise both sides with full buffers would wait
  permanently.
- Content that cannot be read to its end never gets an end mark: the connection is dropped instead.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVarTuple

from restante.delivery.connection_record import ConnectionRecord, connection_end
from restante.delivery.connection_source import ConnectionSource, NotReached, ReachedItself
from restante.delivery.content_feed import ContentFeed
from restante.delivery.link_plan import ConnectionEnd, ConnectionWork, EndKind, LinkPlan
from restante.delivery.message_flow import MessageFlow
from restante.delivery.reply_timer import LATE_SECONDS, ReplyTimer
from restante.delivery.route import Endpoint
from restante.network.tls import TlsFailed
from restante.network.wire import Wire
from restante.phrases import cause_of
from restante.sasl.scram_keys import salted_password
from restante.smtp.chunking_probe import PROBE_MAILS, ChunkingProbeResult
from restante.smtp.client_events import (
    BeginTls,
    ClientEvent,
    ContentWanted,
    SaltPassword,
    SessionEnded,
    SessionEnding,
    SessionReady,
    TransactionEnded,
    WindowSettled,
)
from restante.smtp.client_session import ClientSession
from restante.smtp.client_transaction import AUTH, CONTENT, EHLO, QUIT, STARTTLS
from restante.smtp.passed_client import PassedClient
from restante.smtp.protocol_errors import PeerBroke, ReplyEndLost
from restante.store.store_errors import StoreError

_Arguments = TypeVarTuple("_Arguments")

_CLOSED: Final = "closed the connection"
_NOT_NEEDED: Final = "no longer needed"
_WRITE_OCTETS: Final = 256 * 1024  # about the size of one write, so that memory stays bounded


class DeliveryConnection:
    """Delivers messages over one connection, from `run` to its end."""

    def __init__(self, source: ConnectionSource, link_plan: LinkPlan, work: ConnectionWork) -> None:
        """`source` is `dial(…)` or `adopt(…)` of connection_source.py."""
        self._source = source
        self._link_plan = link_plan
        self._loop = asyncio.get_running_loop()
        self._session = ClientSession(link_plan.options, link_plan.pace)
        self._record = ConnectionRecord()
        self._flow = MessageFlow(self._session, link_plan, work, self._record, self._loop.time)
        self._timer = ReplyTimer(
            self._session,
            link_plan.settings,
            self._give_up_waiting,
            may_do_without_tls=link_plan.options.may_do_without_tls,
        )
        self._feed = ContentFeed(work.read_file)
        self._wire: Wire | None = None  # None until there is a connection
        self._is_busy = False  # it ends by 421
        self._defect: Exception | None = None

    # Called by the attempt

    async def run(self) -> ConnectionEnd:
        """Connect, deliver until nothing is left or an error occurs, and return how it ended.

        Raises only for defects of ours.
        """
        try:
            await self._open()
            await self._feed.run(self)
        finally:
            self._timer.cancel()
            if self._wire is not None:  # unsent data is not worth sending now
                self._wire.abort()
            else:
                self._source.give_up()
        if self._defect is not None:
            raise self._defect
        version = self._wire.tls_version if self._wire is not None else ""
        uses_ehlo = self._link_plan.options.uses_ehlo
        return connection_end(self._record, self._session, version, uses_ehlo=uses_ehlo)

    def wake(self) -> None:
        """Look for messages again, unless a reply is late: a message behind it would wait too."""
        if not self.has_waited(LATE_SECONDS):
            self._guarded(self._pump)

    def has_waited(self, seconds: float) -> bool:
        """Tell whether the destination owes a reply, or takes no content, for so long.

        Silence before any mail counts where it may be about the client in whose name this is.
        """
        session = self._session
        is_due = session.awaited is not None or session.is_sending_content
        is_up = self._record.was_ready or self.waits_for_client
        return is_up and is_due and self.seconds_still > seconds

    @property
    def waits_for_client(self) -> bool:
        """Whether the destination knows the client, and has not let it begin.

        TLS and AUTH are about us.
        """
        record, session = self._record, self._session
        if self._wire is None or record.was_ready or record.is_over or not session.knows_client:
            return False
        return session.awaited not in (STARTTLS, AUTH) and not self._is_shaking_hands

    @property
    def client(self) -> PassedClient | None:
        """In whose name it is; None for our own."""
        return self._link_plan.options.client

    @property
    def seconds_still(self) -> float:
        """For how long nothing has been sent, and no whole reply has come."""
        return self._timer.seconds_still

    @property
    def reply_count(self) -> int:
        """How many replies have come."""
        return self._session.reply_count

    @property
    def peer_name(self) -> str:
        """The server's own name in its reply to EHLO, "" before."""
        return self._session.offer.server_name

    @property
    def mail_limit(self) -> int:
        """How many messages the server takes on a connection, 0 where it does not tell."""
        return self._session.offer.mail_limit

    @property
    def may_be_cut(self) -> bool:
        """Whether the destination says nothing before the content of a message, or in a window.

        Before content no copy can be made, except of a window that has gone whole. The destination
        has not come to the rest of it, and in the end the whole window would be sent again too.
        The reply to the content of a single message gets all its time (RFC 5321 §4.5.3.2.6). In a
        window, the messages behind it would wait too, and its first one gets that time later.
        """
        session = self._session
        is_single = session.awaited is CONTENT and not self.holds_up_mail
        return not is_single and bool(session.outstanding())

    @property
    def holds_up_mail(self) -> bool:
        """Whether messages wait behind another in its window."""
        return self._session.runs_ahead and len(self._session.outstanding()) > 1

    @property
    def waits_in_first_window(self) -> bool:
        """Whether a reply is late in the first window that the destination has ever got."""
        return self._session.is_new_to_windows and self.has_waited(LATE_SECONDS)

    @property
    def runs_ahead(self) -> bool:
        """Whether it sends messages ahead of replies."""
        return self._session.runs_ahead

    @property
    def is_leaving(self) -> bool:
        """Whether it has begun as many messages as it may."""
        return self._record.was_ready and self._flow.has_begun_last

    @property
    def probed(self) -> ChunkingProbeResult | None:
        """The result of its probe for CHUNKING; None where it has none."""
        return self._session.probed

    @property
    def octets_out(self) -> int:
        """The size of the messages without an outcome."""
        return sum(transaction.message.size for transaction in self._session.outstanding())

    def cut(self) -> None:
        """Wait no longer, because of other mail."""
        self._stop_waiting(f"; other mail was waiting after {self.seconds_still:.0f} s")

    def cut_first_window(self) -> None:
        """Wait no longer, because other mail was taken meanwhile, sent in another manner."""
        self._stop_waiting(f" for {self.seconds_still:.0f} s; it took other mail meanwhile")

    def finish(self, *, tries: bool = False) -> None:
        """Begin no more; wait for outstanding replies and send QUIT, soon if nothing was begun.

        `tries`: before QUIT, a session that delays trials tries what later ones may use.

        A connection that is being made is awaited for a moment: a cut one appears as lost in the
        primary's log.
        """
        if self._wire is None and not self._source.is_dialing:
            self.abort(_NOT_NEEDED)
        else:
            self._guarded(self._try_and_quit if tries else self._say_quit)

    def finish_soon(self, *, tries: bool = False) -> None:
        """Call `finish` soon; for callbacks of this connection."""
        self._loop.call_soon(partial(self.finish, tries=tries))

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
        return self._record.is_ready

    async def _open(self) -> None:
        if self._record.is_over:  # aborted before it began
            return
        try:
            wire = await self._source.open()
        except NotReached as error:
            self._close(EndKind.UNREACHABLE, str(error))
        except ReachedItself as error:
            self._close(EndKind.REFUSED, str(error))
        else:
            wire.adopt(self)

    # Called by the content feed

    def send_block(self, block: bytes) -> None:
        """Send the next block of large content."""
        self._guarded(self._send_block, block)

    def end_content(self) -> None:
        """Send its end mark, and take further messages."""
        self._guarded(self._end_content)

    def content_unreadable(self, error: StoreError) -> None:
        """End: content without its end must not get an end mark."""
        self._close(EndKind.UNREADABLE, f"held content cannot be read: {error}")

    def _send_block(self, block: bytes) -> None:
        self._session.send_content(block)
        self._flush()

    def _end_content(self) -> None:
        self._session.end_content()
        self._pump()

    # Called by the wire

    def opened(self, wire: Wire) -> None:
        """Begin: the destination sends its greeting first."""
        self._wire = wire
        if self._record.is_over:  # aborted meanwhile
            wire.abort()
        else:
            self._timer.restart(is_shaking_hands=False)

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        self._guarded(self._receive, data)

    def secured(self) -> None:
        """Go on under TLS."""
        self._guarded(self._go_on_secured)

    def tls_failed(self, failure: TlsFailed) -> None:
        """End: the handshake, the check of the peer, or a record failed."""
        self._close(EndKind.BROKEN, f"TLS: {failure}")

    def eof_received(self) -> None:
        """End: a destination that closes its side has no more replies for us."""
        self._guarded(self._end_audit)
        self._closed_by_peer(f"{self._link_plan.peer} {_CLOSED}")

    def connection_lost(self, exc: Exception | None) -> None:
        """End, if it has not ended."""
        self._closed_by_peer(
            cause_of(exc) if exc is not None else f"{self._link_plan.peer} {_CLOSED}"
        )

    def _closed_by_peer(self, reason: str) -> None:
        """End because the destination closed, or because its last reply has no visible end."""
        self._guarded(self._take_cut_reply)
        self._record.was_closed |= not self._record.is_over
        self._close(EndKind.BROKEN, reason)

    def pause_writing(self) -> None:
        """Pause large content: the destination is slower than our disk."""
        self._feed.pause()

    def resume_writing(self) -> None:
        """Resume it, and take further messages."""
        self._feed.resume()
        self._guarded(self._pump)

    # Bytes and events

    def _guarded(self, move: Callable[[*_Arguments], object], *arguments: *_Arguments) -> None:
        """Make a move for a callback: an error ends this connection only."""
        if self._record.is_over:
            return
        try:
            move(*arguments)
        except ReplyEndLost as error:
            self._closed_by_peer(str(error))
        except PeerBroke as error:
            self._record.is_astray = True
            self._close(EndKind.BROKEN, str(error))
        except TlsFailed as error:
            self._close(EndKind.BROKEN, f"TLS: {error}")
        except Exception as error:  # noqa: BLE001  `run` raises it again, in the drain's task
            self._defect = error
            self._close(EndKind.ABORTED, "internal error")

    def _receive(self, data: bytes) -> None:
        assert self._wire is not None
        session = self._session
        count = session.reply_count
        session.receive_data(data)
        self._take_events()
        if self._wire.is_ended:
            self._end_audit()
            self._closed_by_peer(f"{self._link_plan.peer} {_CLOSED}")
        if self._record.is_over:
            return
        has_written = self._pump()
        if session.reply_count != count:
            self._timer.calm_down()
            if not has_written:
                self._timer.restart(is_shaking_hands=self._is_shaking_hands)
        if session.in_doubt is not None and session.has_partial_code:
            self._timer.hurry()

    def _go_on_secured(self) -> None:
        self._session.tls_established()
        self._take_events()
        self._pump()

    def _take_cut_reply(self) -> None:
        if self._session.take_cut_reply():
            self._take_events()

    def _end_audit(self) -> None:
        self._session.end_audit()
        self._take_events()

    def _take_events(self) -> None:
        while (event := self._session.next_event()) is not None:
            self._handle(event)

    def _handle(self, event: ClientEvent) -> None:
        match event:
            case TransactionEnded(transaction):
                self._flow.report(transaction)
            case WindowSettled(is_whole):
                self._flow.window_settled(is_whole=is_whole)
            case ContentWanted(transaction):
                self._feed.want(transaction)
            case SessionReady():
                self._record.was_ready = True
            case BeginTls():
                self._begin_tls()
            case SaltPassword(password, salting):
                work = self._loop.run_in_executor(None, salted_password, password, salting)
                work.add_done_callback(lambda done: self._guarded(self._go_on_salted, done))
            case SessionEnded(SessionEnding.QUIT, _):
                self._timer.is_leaving = True
            case SessionEnded(ending, reason):
                self._close(
                    EndKind.BUSY if ending is SessionEnding.BUSY else EndKind.REFUSED, reason
                )

    def _begin_tls(self) -> None:
        plan = self._link_plan.tls
        assert self._wire is not None
        assert plan is not None, "the session uses no TLS"
        self._wire.begin_tls(plan.begin(), plan.check_peer)

    def _go_on_salted(self, salted: asyncio.Future[bytes]) -> None:
        self._session.password_salted(salted.result())
        self._pump()

    # Sending

    def _pump(self) -> bool:
        """Begin transactions and write all waiting data; return whether the last of it was some."""
        session = self._session
        while session.can_begin and self._feed.can_write and self._flow.begin_next():
            self._take_events()
            if session.outgoing_octets >= _WRITE_OCTETS:
                self._flush()
        return self._flush()

    def _try_and_quit(self) -> None:
        limit = self.mail_limit
        if not limit or self._record.begun + PROBE_MAILS <= limit:
            self._session.try_and_quit()
        self._say_quit()

    def _say_quit(self) -> None:
        self._session.quit()
        self._flush()
        if not self._record.was_ready:
            self._timer.forgo()

    def _flush(self) -> bool:
        data = self._session.data_to_send()
        wire = self._wire
        if not data or wire is None:
            return False
        wire.write(data)
        self._timer.restart(is_shaking_hands=wire.is_shaking_hands)
        return True

    @property
    def _is_secure(self) -> bool:
        return self._wire is not None and self._wire.is_secure

    @property
    def _is_shaking_hands(self) -> bool:
        return self._wire is not None and self._wire.is_shaking_hands

    def _give_up_waiting(self) -> None:
        if self._timer.is_not_needed:
            self.abort(_NOT_NEEDED)
        else:
            self._stop_waiting()

    def _stop_waiting(self, reason: str = "") -> None:
        awaited = self._session.awaited
        what = f"the reply to {awaited.name}" if awaited is not None else self._link_plan.peer
        self._guarded(self._take_cut_reply)
        self._record.was_silent |= not self._record.is_over
        self._close(EndKind.BROKEN, f"timed out waiting for {what}{reason}")

    # The end

    def _close(self, kind: EndKind, reason: str) -> None:
        if self._record.is_over:
            return
        is_audited = self._session.is_audited and bool(self._session.outstanding())
        if not is_audited and (self._timer.is_leaving or self._session.awaited is QUIT):
            self._say_goodbye()  # every outcome is known, and many servers close without a reply
            return
        self._is_busy = kind is EndKind.BUSY
        if kind in (EndKind.BROKEN, EndKind.BUSY) and self._session.awaited is AUTH:
            self._session.auth_unanswered()
        if kind in (EndKind.BROKEN, EndKind.BUSY) and self._fails_at_tls:
            kind = EndKind.TLS_FAILED
        self._conclude(kind, reason)
        if self._wire is not None:
            self._wire.abort()
        elif kind is EndKind.ABORTED:
            self._source.give_up()
        if kind in (EndKind.BROKEN, EndKind.BUSY) and not self._record.is_astray:
            self._report_cut()

    def _report_cut(self) -> None:
        """Let the replies count that came before the end."""
        try:
            self._flow.report_cut()
        except Exception as error:  # noqa: BLE001  as above
            self._defect = error

    @property
    def _fails_at_tls(self) -> bool:
        """Whether it ended between STARTTLS and the first reply under TLS.

        Some servers hang up at the command, or say nothing to it. With TLS 1.3 the handshake has
        ended here when the server judges it, so its refusal stands in place of the reply to EHLO.
        """
        record, awaited = self._record, self._session.awaited
        if awaited is STARTTLS:
            return record.was_closed or record.was_silent or record.is_astray or self._is_busy
        is_other = record.was_silent or record.is_astray or self._is_busy
        is_refused = awaited is EHLO and self._is_secure and not is_other
        is_refused &= not self._session.knows_client  # it may be the client that is refused
        return self._is_shaking_hands or is_refused

    def _say_goodbye(self) -> None:
        if self._flow.complaint:
            self._conclude(EndKind.REFUSED, self._flow.complaint)
        else:
            self._conclude(EndKind.QUIT, "")
        if self._wire is not None:
            self._wire.close()

    def _conclude(self, kind: EndKind, reason: str) -> None:
        self._record.kind, self._record.reason = kind, reason
        self._feed.stop()
