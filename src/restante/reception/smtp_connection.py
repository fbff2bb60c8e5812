"""The thin shell round one session: a wire and the dialogue.

One of the two places where strangers' bytes enter. No task and no timer belongs to a connection.
The listener's sweep looks at `overdue`, and all waiting is done elsewhere. Reading stops while the
dialogue cannot use more.

A session can be turned around: its wire is given away once the replies have left. The listener
counts it until the wire is closed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ssl import SSLContext
from typing import Protocol

from restante.network.requested_certificates import RequestedCertificates
from restante.network.tls import TlsFailed, TlsLayer
from restante.network.wire import Wire
from restante.reception.dialogue import Dialogue
from restante.reception.doorkeeper import ShedCause
from restante.reception.greeting_pause import GreetingPause
from restante.reception.services import DialogueServices
from restante.reception.session_time import LINGER_SECONDS, SessionTime
from restante.reception.session_traces import SessionObserver, SessionTraces
from restante.reception.turnaround import Turnaround
from restante.smtp import replies
from restante.smtp.phases import Phase
from restante.smtp.replies import Reply
from restante.smtp.server_options import ServerOptions
from restante.smtp.server_session import ServerSession
from restante.smtp.session_end import SessionEnd
from restante.telemetry.events import SessionClosed
from restante.tenancy.model import IpAddress

UNREAD_LIMIT = (
    65536  # octets kept while an answer is awaited; a client that pipelines more is not read
)


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """The settings of a listener: replaced whole when the configuration is reloaded."""

    services: DialogueServices
    options: ServerOptions
    tls: SSLContext
    is_implicit_tls: bool
    certificates: RequestedCertificates | None = None  # where clients may show one
    greeting: GreetingPause | None = None  # where new clients wait for it
    traces: SessionTraces | None = None


def _tls_layer(settings: SessionSettings) -> TlsLayer:
    """Return the TLS of a new connection."""
    if settings.certificates is not None:
        directory = settings.services.admission.directory.now
        settings.certificates.follow(directory.client_certificates)
    return TlsLayer(settings.tls, is_server=True)


class ConnectionOwner(Protocol):
    """The listener that a connection belongs to."""

    def refusal(self, address: IpAddress) -> ShedCause | None:
        """Return the limit by which one more session from there is not served; None if it is."""

    def must_hurry(self, address: IpAddress) -> bool:
        """Return whether a stranger's session from there gets less time now."""

    def joined(self, connection: "SmtpConnection") -> None:
        """Record a session that begins."""

    def proved(self, connection: "SmtpConnection") -> None:
        """Record that it has authenticated."""

    def left(self, connection: "SmtpConnection") -> None:
        """Record that it ended."""


class SmtpConnection:
    """One client's connection."""

    __slots__ = (
        "_clock",
        "_detail",
        "_dialogue",
        "_greets_at",
        "_has_eof",
        "_is_closing",
        "_is_stopping",
        "_is_turned_away",
        "_observer",
        "_owner",
        "_session",
        "_settings",
        "_time",
        "_turnaround",
        "end",
        "ended_in_content",
        "is_stranger",
        "peer",
        "wire",
    )

    def __init__(
        self, settings: SessionSettings, owner: ConnectionOwner, clock: Callable[[], float]
    ) -> None:
        """`clock` is monotonic, in seconds."""
        self._settings = settings
        self._owner = owner
        self._clock = clock
        self._session = ServerSession(settings.options, has_tls=settings.is_implicit_tls)
        self.wire = Wire(self)  # the protocol for the transport
        self._turnaround: Turnaround | None = None  # that has the wire now
        self._observer: SessionObserver | None = None  # for traces
        self._greets_at: float | None = None  # the greeting is held back until then
        self._has_eof = False
        self._is_stopping = False
        self._is_closing = False
        self._is_turned_away = False
        self.end = SessionEnd.CONNECTION_LOST
        self._detail = ""  # of the end, for the log
        self.peer: IpAddress  # these two from `opened` on
        self._dialogue: Dialogue
        self.ended_in_content = False
        self._time = SessionTime(settings.services.settings, self._session, clock())
        self.is_stranger = True  # has not authenticated

    # Called by the wire

    def opened(self, wire: Wire) -> None:
        """Greet, or turn away when there are too many."""
        self.peer = wire.peer
        self._dialogue = Dialogue(
            self._settings.services,
            self._session,
            self.peer,
            self._progress,
            self._control_reading,
            local=lambda: wire.own_address,
            port=wire.peer_port,
            may_turn_around=self._may_turn_around,
        )
        self._be_observed("connected")
        if self._owner.refusal(self.peer):
            self._note("turned away: too many sessions")
            self._turn_away()
            return
        if self._settings.is_implicit_tls:
            wire.begin_tls(_tls_layer(self._settings))
        self._owner.joined(self)
        if (greeting := self._settings.greeting) is not None and (
            seconds := greeting.seconds_for(self.peer)
        ):
            self._greets_at = self._clock() + seconds
            self._control_reading()
            return
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Let the dialogue continue. A command restarts the client's time; content adds to it."""
        if self._is_closing:
            return
        if self._greets_at is not None:
            self._greets_at, self._dialogue.spoke_early = None, True
        if (traces := self._settings.traces) is not None and traces.is_active:
            self._be_observed("the session was open before")
        session = self._session
        commands = session.command_count
        session.receive_data(data)
        self._dialogue.advance()
        if self.is_stranger and session.is_authenticated:
            self._note_login()
        if session.command_count != commands:
            self._time.restart(self._clock())
        elif session.is_in_content:
            self._time.content_came(len(data), self._clock())
        self._flush()

    def secured(self) -> None:
        """Go on under TLS; with implicit TLS the greeting was held back until now."""
        if self._is_closing:
            return
        self._dialogue.tls = f"{self.wire.tls_version} {self.wire.tls_cipher}"
        self._note(f"TLS is established: {self._dialogue.tls}")
        if self._settings.certificates is not None:
            self._dialogue.client_key = self.wire.peer_key
            self._session.has_certificate = bool(self._dialogue.client_key)
        if not self._session.has_tls:
            self._session.start_tls()
        self._time.restart(self._clock())
        self._flush()

    def tls_failed(self, failure: TlsFailed) -> None:
        """End: the handshake or a record was bad."""
        self._finish(SessionEnd.TLS_FAILED, str(failure))

    def eof_received(self) -> None:
        """The client will send no more; a pending answer is still sent."""
        self._has_eof = self._dialogue.client_has_left = True
        if not self._dialogue.is_waiting:
            self._finish(SessionEnd.CLOSED_BY_CLIENT)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the session; mail already submitted is still held."""
        if exc is not None and not self._is_closing:
            self._detail = str((exc.strerror if isinstance(exc, OSError) else None) or exc)
        self._note(f"closed: {self.end}{': ' if self._detail else ''}{self._detail}")
        self.ended_in_content = self._session.is_in_content
        self._dialogue.abandon()
        self._is_closing = True
        if not self._is_turned_away:  # those are counted, and logged together
            self._owner.left(self)
            self._log_end()

    def pause_writing(self) -> None:
        """The client does not read our replies: take no more of its commands."""
        self._control_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._control_reading()

    # Called by the listener

    def overdue(self, now: float) -> SessionEnd | None:
        """Return the time limit that the client has exceeded; None if none, or if it waits for us.

        While most session slots are taken, strangers have less of each. Call it at every sweep.
        """
        if self._turnaround is not None:
            return None
        self._time.note_achieved(self._dialogue.tally.achieved, now)
        if (end := self._used_up(now)) is not None or not self.is_stranger:
            return end
        end = self._used_up(now, is_hurried=True)
        return end if end is not None and self._owner.must_hurry(self.peer) else None

    def greet(self, now: float) -> None:
        """Send the greeting, if its time has come. Call it at every sweep."""
        if self._greets_at is None or now < self._greets_at or self._is_closing:
            return
        self._greets_at = None
        if self._settings.greeting is not None:
            self._settings.greeting.has_waited(self.peer)
        self._flush()

    def expire(self, end: SessionEnd) -> None:
        """End a session that took too long (RFC 5321 §3.8); cut one that ignores its last reply."""
        if self._is_closing:
            self.wire.abort()
        is_hurried = self._used_up(self._clock()) is None
        reply = replies.NO_MESSAGE if end is SessionEnd.NO_MESSAGE else replies.TIMED_OUT
        self._say_goodbye(reply, end, "most sessions are taken" if is_hurried else "")

    def stop(self) -> None:
        """End the session because the server stops; mail being held is still acknowledged."""
        self._is_stopping = True
        if self._turnaround is not None:
            self._turnaround.stop()
            return
        if not self._dialogue.is_waiting:
            self._say_goodbye(replies.SHUTTING_DOWN, SessionEnd.SERVER_STOPPING)

    def abort(self) -> None:
        """Cut the connection."""
        self.wire.abort()

    # Internal

    def _be_observed(self, state: str) -> None:
        """Let traces of this client see the session, from now on."""
        traces = self._settings.traces
        if self._observer is None and traces is not None and traces.is_active:
            self._observer = traces.observer(self.peer, self.wire.peer_port)
            if self._observer is not None:
                self._session.be_observed(self._observer)
                self._note(state)

    def _note(self, text: str) -> None:
        if self._observer is not None:
            self._observer.note(text)

    def _used_up(self, now: float, *, is_hurried: bool = False) -> SessionEnd | None:
        if self._is_closing:
            return SessionEnd.TIMED_OUT if self._time.has_lingered(now) else None
        if self._dialogue.is_waiting or self._dialogue.is_stalled:
            return None
        return self._time.used_up(
            now, is_shaking_hands=self.wire.is_shaking_hands, is_hurried=is_hurried
        )

    def _note_login(self) -> None:
        if self._dialogue.login is not None:
            self.is_stranger = False
            self._owner.proved(self)

    def _progress(self) -> None:
        """Continue: an awaited answer has come."""
        if self._is_closing:
            return
        self._time.restart(self._clock())
        if self.is_stranger and self._session.is_authenticated:
            self._note_login()
        self._flush()
        if self._is_stopping and not self._dialogue.is_waiting:
            self._say_goodbye(replies.SHUTTING_DOWN, SessionEnd.SERVER_STOPPING)
        elif self._has_eof and not self._dialogue.is_waiting:
            self._finish(SessionEnd.CLOSED_BY_CLIENT)

    def _flush(self) -> None:
        """Send the gathered replies in one piece; then read on, start TLS, or end."""
        if self._is_closing:
            return
        wire, session, dialogue = self.wire, self._session, self._dialogue
        if not wire.is_shaking_hands and (data := session.data_to_send()):
            self._send(data)
        if session.phase is Phase.CLOSED:
            self._finish(session.end)
            return
        if dialogue.wants_tls:
            dialogue.wants_tls = False
            wire.begin_tls(_tls_layer(self._settings))
        if dialogue.turnaround is not None:
            self._hand_over(dialogue.turnaround)
            return
        if dialogue.expects_much:
            wire.read_less()
        self._control_reading()

    def _send(self, data: bytes) -> None:
        # For each reply: contextlib.suppress would make an object and three calls.
        try:  # noqa: SIM105
            self.wire.write(data)
        except TlsFailed:  # the peer has left; reading will show it
            pass

    def _control_reading(self) -> None:
        wire, dialogue, session = self.wire, self._dialogue, self._session
        is_busy = session.unread_octets > UNREAD_LIMIT and session.awaits_answer
        should_read = not (is_busy or dialogue.is_stalled or wire.is_write_full or self._is_closing)
        if should_read == wire.is_reading:
            return
        if should_read:
            wire.resume_reading()
        else:
            wire.pause_reading()

    def _may_turn_around(self) -> bool:
        is_ending = self._is_closing or self._is_stopping or self._has_eof
        return not (is_ending or self._session.unread_octets or self.wire.has_unread)

    def _hand_over(self, turnaround: Turnaround) -> None:
        """Give the wire away; the listener counts this until the wire is closed."""
        self.end = SessionEnd.TURNED_AROUND
        self._is_closing = True
        self._turnaround = turnaround
        self._note("turned around: mail goes to the client, and is not shown")
        self.wire.release(on_lost=self._turnaround_ended)
        self._dialogue.abandon()
        turnaround.begin(self.wire)

    def _turnaround_ended(self) -> None:
        self._turnaround = None
        self.connection_lost(None)

    def _turn_away(self) -> None:
        """Send 421 at once; with implicit TLS, close instead, since a handshake costs too much."""
        self._is_turned_away = True
        if not self._settings.is_implicit_tls:
            self.wire.write(replies.TOO_BUSY.fill(hostname=self._settings.options.hostname).octets)
        self._is_closing = True
        self.wire.close(within=LINGER_SECONDS)  # no sweep looks at this one

    def _say_goodbye(self, reply: Reply, end: SessionEnd, detail: str = "") -> None:
        if self._is_closing:
            return
        if not self.wire.is_shaking_hands:
            self._session.close(reply.fill(hostname=self._settings.options.hostname))
            self._send(self._session.data_to_send())
        self._finish(end, detail)

    def _finish(self, end: SessionEnd, detail: str = "") -> None:
        if self._is_closing:
            return
        self.end, self._detail = end, detail
        self._is_closing = True
        self._time.restart(self._clock())
        self.wire.close()

    def _log_end(self) -> None:
        """Write the session's line; none if it only brought mail: each message has its own line."""
        tally = self._dialogue.tally
        errors = self._session.error_count
        if self.end is SessionEnd.QUIT and tally.held and not errors and not tally.releases:
            return
        self._settings.services.log.publish(
            SessionClosed(
                peer=str(self.peer),
                hello=self._session.client_name,
                tls=self._dialogue.tls,
                login=self._dialogue.login.user if self._dialogue.login else "",
                messages=tally.held,
                releases=tally.releases,
                errors=errors,
                end=self.end,
                in_content=self.ended_in_content,
                reason=self._detail,
            )
        )
