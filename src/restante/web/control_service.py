"""The API served on the control socket, as one task of the server."""

import socket

from restante.admin.admin_context import AdminContext
from restante.web.api.api_application import PreparedApi, build_api
from restante.web.http_connections import HttpConnections
from restante.web.serving import HttpLimits, serve_http


async def serve_on(
    context: AdminContext, listener: socket.socket, connections: HttpConnections
) -> None:
    """Serve on an opened control socket until cancelled. Other processes may accept from it too."""
    await serve_http(PreparedApi(build_api(context)), listener, HttpLimits(connections))
