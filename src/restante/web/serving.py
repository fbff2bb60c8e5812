"""An ASGI application served on a socket, as one task of the server.

Each connection has HEADER_SECONDS for the header of a request, from its first moment and again
after each answer. While a request has a body, each BODY_STEP octets of it must arrive within
BODY_SECONDS. A service may limit the time of an answer. Without such a limit, a client may read the
end of its answer as slowly as it likes, as a pager does with a listing. `http_connections` limits
the number of connections.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from restante.shielded_task import shielded
from restante.web.http_connections import ConnectionCut, HttpConnections

HEADER_SECONDS: Final = 10.0
BODY_SECONDS: Final = 60.0
BODY_STEP: Final = 4096  # octets
_GOODBYE_SECONDS = 5
CUT_EXTENSION: Final = "restante.cut"  # of a request's scope: closes its connection at once
PROVED_EXTENSION: Final = "restante.proved"  # to call once a request has a principal
PEER_PREFIX: Final = "uid:"  # of the client's host name in uvicorn, on a Unix socket
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred: process, user, group


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """The limits of one service. Times are seconds."""

    connections: HttpConnections
    header_seconds: float = HEADER_SECONDS
    body_seconds: float = BODY_SECONDS  # for each BODY_STEP octets of a request's body
    answer_seconds: float | None = (
        None  # from the request's header until its answer is made; None: no limit
    )


class LimitedProtocol(H11Protocol):
    """HTTP/1.1 within limits; on a Unix socket, the client is the user at its other end."""

    # As uvicorn declares them. Both are of the last request, and None when the connection is lost.
    cycle: RequestResponseCycle
    scope: Any

    def __init__(self, *args: Any, limits: HttpLimits, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits = limits
        self._deadline: asyncio.TimerHandle | None = None
        self._body_octets = 0  # received since the body's time was last extended
        self.client: tuple[str, int] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Ask for admission, and ask the kernel for the user."""
        super().connection_made(transport)
        if not self._limits.connections.admits(self, self._block()):
            self.cut()
            return
        self._limit(self._limits.header_seconds, ConnectionCut.NO_REQUEST)
        peer = transport.get_extra_info("socket")
        if peer is not None and peer.family == socket.AF_UNIX:
            octets = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            process, user, _ = _CREDENTIALS.unpack(octets)
            self.client = (f"{PEER_PREFIX}{user}", process)

    def connection_lost(self, exc: Exception | None) -> None:
        """Free its slot."""
        self._limit(None)
        self._limits.connections.left(self)
        super().connection_lost(exc)
        self._leave_no_garbage()

    def data_received(self, data: bytes) -> None:
        """Take octets; enough of a body extend its time."""
        self._body_octets += len(data)
        super().data_received(data)

    def handle_events(self) -> None:
        """Record a request that begins."""
        before, had_body = self.cycle, self._awaits_body
        super().handle_events()
        limit = self._answer_seconds()
        if self.cycle is not before and not self.cycle.response_complete:
            self._request_began()
            cast("dict[str, Any]", self.cycle.scope)["extensions"] = {
                CUT_EXTENSION: self.cut,
                PROVED_EXTENSION: self.proved,
            }
            if limit is None:
                self._limit_body()
            else:
                self._limit(limit, ConnectionCut.TOO_SLOW)
        elif (
            limit is None and had_body and (self._body_octets >= BODY_STEP or not self._awaits_body)
        ):
            self._limit_body()

    def _request_began(self) -> None:
        """Record that a request is under way."""
        self._limits.connections.began(self)

    def proved(self) -> None:
        """Note that a request has a principal; here, nobody closes for another while busy."""

    def _block(self) -> int | None:
        """Return the key of the peer's address block; None: no limit of blocks holds for it."""
        return None

    def _answer_seconds(self) -> float | None:
        """Return how long the present request may take, its body included; None: no limit."""
        return self._limits.answer_seconds

    @property
    def _awaits_body(self) -> bool:
        """Whether a request without an answer still lacks a part of its body."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete and cycle.more_body

    def _limit_body(self) -> None:
        """Give the next piece of the body its time; a body that is complete has none."""
        self._body_octets = 0
        self._limit(self._limits.body_seconds if self._awaits_body else None)

    def on_response_complete(self) -> None:
        """Wait for the next request; uvicorn checks whether one has arrived meanwhile."""
        self._limits.connections.answered(self)
        self._limit(self._limits.header_seconds, ConnectionCut.NO_REQUEST)
        super().on_response_complete()
        if self.scope is None:  # the connection was lost first
            self._leave_no_garbage()

    def _leave_no_garbage(self) -> None:
        """Part from the last request: it refers to this connection, and would be a cycle with it.

        A request that is still at work keeps its own parts.
        """
        self.scope = None
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is not None and cycle.response_complete:
            self.cycle = None  # type: ignore[assignment]

    def cut(self) -> None:
        """Close at once: a peer that reads nothing would delay an orderly close."""
        self.transport.abort()

    def _limit(
        self, seconds: float | None, cause: ConnectionCut = ConnectionCut.NO_REQUEST
    ) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = (
            None if seconds is None else self.loop.call_later(seconds, self._late, cause)
        )

    def _late(self, cause: ConnectionCut) -> None:
        if self._awaits_body and self.flow.read_paused:  # it is our turn, not the client's
            self._limit_body()
            return
        if cause is ConnectionCut.NO_REQUEST and self.transport.get_write_buffer_size():
            if self._answer_seconds() is None:
                self._limit(self._limits.header_seconds, cause)
                return
            cause = ConnectionCut.TOO_SLOW
        self._limits.connections.expire(self, cause)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program: this is one of its tasks."""
        yield


async def serve_http(application: ASGIApp, listener: socket.socket, limits: HttpLimits) -> None:
    """Serve until cancelled; then finish running requests and close the socket."""
    server = _Server(_config(application, limits))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await shielded(serving)  # cancelled, it would leave requests half done
    finally:
        server.should_exit = True
        with contextlib.closing(listener):  # even if the wait is cancelled
            await asyncio.wait([serving])


def _config(application: ASGIApp, limits: HttpLimits) -> uvicorn.Config:
    return quiet_config(
        application,
        http=cast("type[asyncio.Protocol]", partial(LimitedProtocol, limits=limits)),
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
        backlog=limits.connections.limit,  # accepted connections before the first of them is closed
    )


def quiet_config(application: ASGIApp, **more: Any) -> uvicorn.Config:
    """Return uvicorn's configuration: no log of its own, and no headers that identify it."""
    return uvicorn.Config(
        application,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        **more,
    )
