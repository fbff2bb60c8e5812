"""An ASGI application served on a socket, as one task of the server."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

_GOODBYE_SECONDS = 5
PEER_PREFIX: Final = "uid:"  # of the client's host, on a Unix socket
_CREDENTIALS: Final = struct.Struct("3i")  # struct ucred: process, user, group


class _PeerProtocol(H11Protocol):
    """HTTP/1.1, where the client of a Unix socket is the user at its other end."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Ask the kernel who connected."""
        super().connection_made(transport)
        peer = transport.get_extra_info("socket")
        if peer is not None and peer.family == socket.AF_UNIX:
            octets = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            process, user, _ = _CREDENTIALS.unpack(octets)
            self.client = (f"{PEER_PREFIX}{user}", process)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program: this is one task of it."""
        yield


async def serve(application: ASGIApp, listener: socket.socket) -> None:
    """Serve until cancelled; requests that have begun are then finished, and the socket is closed."""
    server = _Server(_quiet(application))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)  # cancelled, it would leave requests half done
    finally:
        server.should_exit = True
        with contextlib.closing(listener):  # also by one who cannot wait
            await asyncio.wait([serving])


def _quiet(application: ASGIApp) -> uvicorn.Config:
    """Return uvicorn's configuration: no log of its own, no headers that name it."""
    return uvicorn.Config(
        application,
        http=_PeerProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )
