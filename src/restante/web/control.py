"""The API served on the control socket, as one task of the server."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from restante.admin.office import Office
from restante.web.api.application import build_api
from restante.web.control_socket import open_control

_GOODBYE_SECONDS = 5


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program: this is one task of it."""
        yield


async def serve_control(office: Office, path: Path) -> None:
    """Serve until cancelled; requests that have begun are then finished. Raises ControlUnusable."""
    await serve_on(office, open_control(path))


async def serve_on(office: Office, listener: socket.socket) -> None:
    """Serve on an opened control socket, and take it away at the end."""
    path = listener.getsockname()
    server = _Server(_quiet(build_api(office)))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)  # cancelled, it would leave requests half done
    finally:
        server.should_exit = True
        with _taken_away(listener, path):  # also by one who cannot wait
            await asyncio.wait([serving])


@contextlib.contextmanager
def _taken_away(listener: socket.socket, path: str) -> Iterator[None]:
    try:
        yield
    finally:
        listener.close()
        Path(path).unlink(missing_ok=True)


def _quiet(api: FastAPI) -> uvicorn.Config:
    """Return uvicorn's configuration: no log of its own, no headers that name it."""
    return uvicorn.Config(
        api,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )
