"""The metrics on a separate TCP port, for a Prometheus without access to the control socket."""

import socket
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from restante.admin.admin_context import AdminContext
from restante.tenancy.principal import policy_rule
from restante.web.api.metrics_routes import answer
from restante.web.api.problem_details import handle_problems
from restante.web.http_connections import HttpConnections
from restante.web.serving import HttpLimits, serve_http

ANSWER_SECONDS: Final = 30.0


def build_metrics(context: AdminContext) -> Starlette:
    """Return an application with one page."""

    async def show_metrics(request: Request) -> Response:
        return await answer(context.acting(policy_rule("metrics")), request)

    application = Starlette(routes=[Route("/metrics", show_metrics, methods=["GET"])])
    application.state.context = context
    handle_problems(application)
    return application


async def serve_metrics(
    context: AdminContext, listener: socket.socket, connections: HttpConnections
) -> None:
    """Serve on a bound socket until cancelled."""
    await serve_http(
        build_metrics(context), listener, HttpLimits(connections, answer_seconds=ANSWER_SECONDS)
    )
