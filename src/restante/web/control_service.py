"""The API served on the control socket, as one task of the server."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from restante.admin.admin_context import AdminContext
from restante.web.api.api_application import PreparedApi, build_api
from restante.web.http_connections import HttpConnections
from restante.web.serving import HttpLimits, serve_http


async def serve_on(
    context: AdminContext, listener: socket.socket, connections: HttpConnections
) -> None:
    """Serve on an opened control socket until cancelled, and remove it at the end."""
    with _taken_away(Path(listener.getsockname())):
        await serve_http(PreparedApi(build_api(context)), listener, HttpLimits(connections))


async def serve_shared_on(
    context: AdminContext, listener: socket.socket, connections: HttpConnections
) -> None:
    """Serve until cancelled on a control socket from which other processes accept too."""
    await serve_http(PreparedApi(build_api(context)), listener, HttpLimits(connections))


@contextlib.contextmanager
def _taken_away(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
