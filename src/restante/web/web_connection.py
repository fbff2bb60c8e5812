"""One connection to a `web` listener: a wire, TLS if the listener has it, and HTTP/1.1 over it.

Strangers' octets enter here. A connection is admitted before its handshake, so one that never
completes a handshake counts as idle. The time for a request's header includes the handshake. Octets
go to the parser in small pieces, so that no header larger than its limit is ever parsed.

Two kinds of connections make room for a new one although a request is under way. None of its
requests had a principal so far, or its client took nothing of a full buffer for STALL_SECONDS.
"""

import asyncio
import contextlib
import sys
import time
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Final, cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import RequestResponseCycle
from uvicorn.server import ServerState

from restante.network.addresses import address_block
from restante.network.tls import TlsFailed, TlsLayer
from restante.network.wire import Wire
from restante.tenancy.model import IpNetwork
from restante.web.answer_headers import malformed
from restante.web.client_address import is_trusted
from restante.web.http_connections import ConnectionCut, HttpConnections
from restante.web.request_counts import RequestCounts, RequestRefusal
from restante.web.route_limits import is_long
from restante.web.serving import HttpLimits, LimitedProtocol, quiet_config
from restante.web.strict_http import StrictConnection

PIECE: Final = 4096  # octets that the parser gets at once
CUT_SECONDS: Final = 40.0  # from a request's header; the gate answers earlier
STALL_SECONDS: Final = 5.0  # without progress of a full buffer
GOODBYE_SECONDS: Final = 5.0  # for the last octets of a connection that is closed


@dataclass(frozen=True, slots=True)
class WebListenerSettings:
    """The settings of a `web` listener: replaced whole when the configuration is reloaded."""

    application: ASGIApp
    connections: HttpConnections
    counts: RequestCounts
    tls: SSLContext | None
    proxies: tuple[IpNetwork, ...] = ()

    def uvicorn_config(self) -> uvicorn.Config:
        """Return uvicorn's part of them: no log of its own, and no headers that identify it."""
        config = quiet_config(self.application, date_header=False, proxy_headers=False)
        config.load()
        return config


class _WireTransport:
    """The part of a transport that uvicorn uses, over a wire."""

    __slots__ = ("_is_held", "_is_paused", "_is_tls", "_wire")

    def __init__(self, wire: Wire, *, is_tls: bool) -> None:
        self._wire = wire
        self._is_tls = is_tls
        self._is_paused = False  # by uvicorn
        self._is_held = False  # until the octets that have come are parsed

    def get_extra_info(self, name: str) -> object:
        """Return what is known of the connection."""
        return (self._is_tls or None) if name == "sslcontext" else self._wire.extra_info(name)

    def is_closing(self) -> bool:
        """Whether nothing more is read."""
        return self._wire.is_closing

    def get_write_buffer_size(self) -> int:
        """Return the octets that wait to be sent."""
        return self._wire.unsent

    def pause_reading(self) -> None:
        """Read nothing for now."""
        self._is_paused = True
        self._wire.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._is_paused = False
        self.hold(self._is_held)

    def hold(self, is_held: bool) -> None:  # noqa: FBT001
        """Read nothing, or as uvicorn wants it."""
        self._is_held = is_held
        if is_held or self._is_paused:
            self._wire.pause_reading()
        else:
            self._wire.resume_reading()

    def write(self, data: bytes) -> None:
        """Send."""
        if self._wire.is_closing:
            return
        try:
            self._wire.write(data)
        except TlsFailed:
            self._wire.abort()

    def close(self) -> None:
        """Close once everything is sent."""
        if not self._wire.is_closing:
            self._wire.close(GOODBYE_SECONDS)

    def abort(self) -> None:
        """Close at once."""
        self._wire.abort()


class WebConnection(LimitedProtocol):
    """The owner of a wire that speaks HTTP."""

    def __init__(
        self, settings: WebListenerSettings, config: uvicorn.Config, state: ServerState
    ) -> None:
        super().__init__(
            config,
            state,
            {},
            limits=HttpLimits(settings.connections, answer_seconds=CUT_SECONDS),
        )
        self._web = settings
        self.conn = StrictConnection()
        self.wire = Wire(self)
        self._reading: _WireTransport  # from `opened` on
        self._unparsed = bytearray()
        self._has_eof = False
        self._is_proved = False  # a request of it had a principal
        self._stall_timer: asyncio.TimerHandle | None = None  # while the buffer is full

    def opened(self, wire: Wire) -> None:
        """Ask for admission, and begin TLS if the listener has it."""
        tls = self._web.tls
        self._reading = _WireTransport(wire, is_tls=tls is not None)
        self.connection_made(cast(asyncio.Transport, self._reading))
        if tls is not None and not wire.is_closing:
            wire.begin_tls(TlsLayer(tls, is_server=True))

    def secured(self) -> None:
        """Go on: the request comes under TLS."""

    def tls_failed(self, failure: TlsFailed) -> None:  # noqa: ARG002
        """End: no HTTP answer would be understood."""
        self._web.connections.expire(self, ConnectionCut.TLS_FAILED)

    def data_received(self, data: bytes) -> None:
        """Give the octets to the parser: one piece now, and one at each turn of the loop."""
        is_waiting = bool(self._unparsed)
        self._unparsed += data
        if not is_waiting:
            self._parse()

    def _parse(self) -> None:
        if self.transport.is_closing():
            self._unparsed.clear()
            return
        piece = bytes(self._unparsed[:PIECE])
        super().data_received(piece)
        del self._unparsed[:PIECE]
        if self.transport.is_closing():
            self._unparsed.clear()
            return
        self._reading.hold(bool(self._unparsed))
        if self._unparsed:
            self.loop.call_soon(self._parse)
        elif self._has_eof:
            self._end()

    def eof_received(self) -> None:
        """Send the answers that are due, then close; a request that stays incomplete has none."""
        self._has_eof = True
        if not self._unparsed:
            self._end()

    def on_response_complete(self) -> None:
        """Go on with the next request, if the client can still send one."""
        super().on_response_complete()
        if self._has_eof and not self._unparsed and not self.transport.is_closing():
            self._end()

    def _end(self) -> None:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is None or cycle.response_complete:
            self.transport.close()
        elif cycle.more_body:
            self.transport.abort()

    def stop(self) -> None:
        """Close, after the answer that is due if there is one."""
        if self.transport.is_closing():
            return
        with contextlib.suppress(h11.LocalProtocolError):
            self.shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002
        """Refuse a request that cannot be read, and close."""
        host = self.client[0] if self.client else ""
        self._web.counts.refused(RequestRefusal.MALFORMED, host)
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True  # its body cannot be read: it gets no answer
            cycle.message_event.set()
        elif self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            error = sys.exc_info()[1]
            hint = error.error_status_hint if isinstance(error, h11.ProtocolError) else 400
            self.transport.write(malformed(hint, time.time(), is_tls=self.scheme == "https"))
        self.transport.close()

    def _request_began(self) -> None:
        super()._request_began()
        if not self._is_proved:
            self._web.connections.yields(self)

    def proved(self) -> None:
        """Keep this connection when others come: its request has a principal."""
        self._is_proved = True
        self._web.connections.stays(self)

    def pause_writing(self) -> None:
        """Wait for the client, and watch whether it takes anything."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Write on."""
        super().resume_writing()
        self._watch_no_more()
        if self._is_proved:
            self._web.connections.stays(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Free its slot and its timers."""
        self._watch_no_more()
        super().connection_lost(exc)

    def _watch(self) -> None:
        self._watch_no_more()
        unsent = self.wire.unsent
        self._stall_timer = self.loop.call_later(STALL_SECONDS, self._look_again, unsent)

    def _watch_no_more(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _look_again(self, before: int) -> None:
        """Compare the unsent octets with those of STALL_SECONDS ago."""
        if self.wire.unsent >= before:
            self._web.connections.yields(self)
        elif self._is_proved:
            self._web.connections.stays(self)
        self._watch()

    def _block(self) -> int | None:
        peer = self.wire.peer
        if peer.is_loopback or is_trusted(peer, self._web.proxies):
            return None
        return address_block(peer)

    def _answer_seconds(self) -> float | None:
        scope = cast("dict[str, Any] | None", self.scope)
        if scope is not None and is_long(scope["method"], scope["path"]):
            return None
        return super()._answer_seconds()
