"""An ASGI application served on a socket, as one task of the server."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

_GOODBYE_SECONDS = 5


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
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )
